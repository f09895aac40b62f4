// A storm of reconnects: the nodes of a large cluster come back at the same moment, after a server
// was killed and has begun anew. A listening socket of libzmq's default lets 100 wait.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "common/bus/sockets.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

constexpr int callers_max = 400;

// One who asks, with the options of the product's sockets.
class Caller {
 public:
  Caller(Context& context, std::string const& endpoint, std::string const& server_key,
         KeyPair const& keys)
      : socket_(Socket::client(context, Pattern::dealer, server_key, keys, {}).value()) {
    EXPECT_TRUE(socket_.watch_server());
    EXPECT_TRUE(socket_.connect(endpoint));
  }
  // Asks when it is connected, and again after a second: what was on its way to a server that ended
  // is lost. Whether the answer is here.
  bool has_answer(std::string const& id) {
    if (answered_ == id) return true;
    if (asked_ != id || rig::milliseconds_since(asked_at_) > 1'000) ask(id);
    Frame answer;
    while (answered_ != id && socket_.receive(answer))
      if (answer.bytes().ends_with("body of " + id)) answered_ = id;
    return answered_ == id;
  }

 private:
  void ask(std::string const& id) {
    auto const header = codec::encode(rig::request_header(id));
    if (socket_.send({rig::packed(header, "body of " + id)}) != Sent::done) return;
    asked_ = id;
    asked_at_ = rig::Clock::now();
  }
  Socket socket_;
  std::string asked_, answered_;
  rig::Clock::time_point asked_at_;
};

// Of "State Recv-Q Send-Q Address": how many the kernel lets wait; -1 where `ss` is missing.
int waiting_max(std::string const& endpoint) {
  auto const port = endpoint.substr(endpoint.rfind(':') + 1);
  auto* const lines = popen(("ss -ltnH 'sport = :" + port + "' 2>/dev/null").c_str(), "r");
  int most = -1;
  if (lines == nullptr || std::fscanf(lines, "%*s %*d %d", &most) != 1) most = -1;
  if (lines != nullptr) pclose(lines);
  return most;
}

TEST(Trap, AListeningSocketLetsHundredsWait) {
  auto settings = rig::settings("server", rig::keys());
  settings.client_endpoint = rig::free_tcp();
  auto const server = rig::open(settings);
  auto const most = waiting_max(settings.client_endpoint);
  if (most < 0) GTEST_SKIP() << "ss of iproute2 is missing";
  EXPECT_EQ(most, 512);
}

TEST(Trap, HundredsWhoComeBackAtOnceAreAllServed) {
  auto const server_keys = rig::keys(), keys = rig::keys();
  auto settings = rig::settings("server", server_keys);
  settings.client_endpoint = rig::free_tcp();
  auto const serve = [&] {
    auto node = rig::open(settings);
    node->seen.echo = node->bus.get();
    return node;
  };
  auto server = serve();
  Context context;
  std::vector<Caller> callers;
  for (int i = 0; i < callers_max; ++i)
    callers.emplace_back(context, settings.client_endpoint, server_keys.public_key, keys);
  auto const answered = [&](std::string const& id) {
    return std::count_if(callers.begin(), callers.end(),
                         [&](Caller& caller) { return caller.has_answer(id); });
  };
  for (std::string const life : {"first", "second", "third"}) {
    EXPECT_TRUE(rig::until(
        {server.get()}, [&] { return answered(life) == callers_max; }, 30'000))
        << answered(life) << " of " << callers_max << " in the " << life << " life";
    server.reset();
    server = serve();
  }
}

}  // namespace
}  // namespace lepton::bus
