// A service in a process of its own, so that tests can stop and kill it. Arguments are NAME=VALUE:
//   keys=FILE       its key pair
//   peer= client= hint=   endpoints to listen at
//   allow=KEY       a peer that may call
//   follow=NAME,ENDPOINT,KEY   a peer whose hints it reads
//   ledger=FILE     one line per effect: the id of each request, written before it is answered,
//   once
//   heads=FILE      one line per hint that it hears: its head
// Prints "ready" once it serves. Ends with its parent.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "common/bus/bus.hpp"
#include "common/codec/msgpack.hpp"

using namespace lepton;

namespace {

int open_file(std::string const& path) {
  return path.empty() ? -1 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

void write_line(int fd, std::string const& text) {
  auto const line = text + "\n";
  if (::write(fd, line.data(), line.size()) != ssize_t(line.size())) std::_Exit(3);
}

class Ledger : public bus::Sink {
 public:
  Ledger(std::string const& path, std::string const& heads)
      : fd_(open_file(path)), heads_fd_(open_file(heads)) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) seen_.insert(line);
  }
  ~Ledger() override {
    ::close(fd_);
    ::close(heads_fd_);
  }

  void on_request(actor::Door, std::string, actor::Route route, Header header,
                  std::string) override {
    if (seen_.insert(header.id).second && fd_ >= 0) write_line(fd_, header.id);
    Health health;
    health.detail = header.id;
    header.kind = Kind::reply;
    bus->answer(route, header, codec::encode(health));
  }
  void on_answer(std::string const&, Header, std::string) override {}
  void on_hint(std::string const&, Hint hint) override {
    if (heads_fd_ >= 0) write_line(heads_fd_, std::to_string(hint.head));
  }
  bus::Bus* bus = nullptr;

 private:
  std::set<std::string> seen_;
  int fd_, heads_fd_;
};

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::map<std::string, std::string> args;
  for (int i = 1; i < argc; ++i) {
    std::string const arg = argv[i];
    auto const equals = arg.find('=');
    if (equals == arg.npos) return 2;
    args[arg.substr(0, equals)] = arg.substr(equals + 1);
  }
  auto keys = bus::read_keys(args["keys"]);
  if (!keys) return std::fprintf(stderr, "%s\n", keys.error().what.c_str()), 2;
  bus::BusSettings settings{"child", *keys, args["peer"], args["client"], args["hint"], {}, {}};
  if (!args["allow"].empty()) settings.peers.push_back({"parent", "", "", args["allow"]});
  if (auto const& follow = args["follow"]; !follow.empty()) {
    auto const first = follow.find(','), last = follow.rfind(',');
    settings.peers = {{follow.substr(0, first), "", follow.substr(first + 1, last - first - 1),
                       follow.substr(last + 1)}};
  }
  Ledger ledger(args["ledger"], args["heads"]);
  auto bus = bus::Bus::open(std::move(settings));
  if (!bus) return std::fprintf(stderr, "%s\n", bus.error().what.c_str()), 2;
  ledger.bus = bus->get();
  std::puts("ready");
  std::fflush(stdout);
  while (true) (*bus)->poll(ledger, -1);
}
