#include "common/bus/gatekeeper.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "common/crypto/encode.hpp"

namespace lepton::bus {
namespace {
constexpr std::string_view zap_version = "1.0";
enum Part : std::size_t { version, id, domain, address, identity, mechanism, key, part_count };
}  // namespace

Result<std::unique_ptr<Gatekeeper>> Gatekeeper::start(Context& context,
                                                      std::set<std::string> peer_keys) {
  auto socket = Socket::gatekeeper(context);
  if (!socket) return socket.error();
  int const stop = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop < 0)
    return Error{Code::internal, "the gatekeeper got no eventfd; raise the limit of open files"};
  return std::unique_ptr<Gatekeeper>(
      new Gatekeeper(std::move(*socket), stop, std::move(peer_keys)));
}

Gatekeeper::Gatekeeper(Socket socket, int stop, std::set<std::string> peer_keys)
    : socket_(std::move(socket)), stop_(stop), peer_keys_(std::move(peer_keys)) {
  thread_ = std::thread([this] { serve(); });
}

Gatekeeper::~Gatekeeper() {
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(stop_);
}

void Gatekeeper::serve() {
  while (true) {
    Frame first;
    if (!socket_.receive_unless(first, stop_)) return;
    request_[version] = first.bytes();
    std::size_t parts = 1;
    for (bool more = first.more(); more; ++parts) {
      Frame frame;
      if (!socket_.receive(frame)) break;
      if (parts < part_count) request_[parts] = frame.bytes();
      more = frame.more();
    }
    answer(parts == part_count ? decide() : Answer{"400", "not understood", {}});
  }
}

Gatekeeper::Answer Gatekeeper::decide() const {
  if (request_[version] != zap_version || request_[mechanism] != "CURVE")
    return {"400", "only CURVE is served", {}};
  auto const user = crypto::z85(request_[key]);
  if (request_[domain] == client_domain) return {"200", "welcome", user};
  if (request_[domain] == peer_domain && is_listed(user)) return {"200", "welcome", user};
  return {"400", "this key is not on the list", {}};
}

bool Gatekeeper::is_listed(std::string const& key) const {
  std::lock_guard const lock(mutex_);
  return peer_keys_.contains(key);
}

void Gatekeeper::list(std::set<std::string> peer_keys) {
  std::lock_guard const lock(mutex_);
  peer_keys_ = std::move(peer_keys);
}

void Gatekeeper::answer(Answer const& answer) {
  ++(answer.user_id.empty() ? refused_ : admitted_);
  socket_.send({zap_version}, true);
  socket_.send({request_[id]}, true);
  socket_.send({answer.code}, true);
  socket_.send({answer.text}, true);
  socket_.send({answer.user_id}, true);
  socket_.send({""}, false);
}

}  // namespace lepton::bus
