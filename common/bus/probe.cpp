#include "common/bus/probe.hpp"

#include <atomic>
#include <chrono>
#include <utility>

#include "common/crypto/entropy.hpp"

namespace lepton::bus {
namespace {

Status expect(Result<Shake> const& seen, Shake wanted, std::string const& door) {
  if (!seen) return seen.error();
  if (*seen == wanted) return ok();
  if (*seen == Shake::accepted)
    return Error{Code::internal,
                 door +
                     " let a stranger in; nothing is served until that is understood: "
                     "check which libzmq this machine loads"};
  return Error{Code::internal, door +
                                   (*seen == Shake::refused ? " turned away a key that it must take"
                                                            : " did not answer its own test") +
                                   "; is the machine overloaded? Start again"};
}

Shake outcome(Socket& monitor, int wait_ms) {
  auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Shake::none;
    auto const seen = read_event(monitor, int(left.count()));
    if (seen != Shake::other) return seen;
  }
}

// On a busy machine a handshake takes its time: a knock without an answer is repeated with more
// patience.
Result<Shake> knock_patiently(Context& context, std::string const& endpoint,
                              std::string const& server_key) {
  Result<Shake> seen = Shake::none;
  for (int const wait_ms : {250, 500, 1000, 2000, 4000}) {
    seen = knock(context, endpoint, server_key, wait_ms);
    if (!seen || *seen != Shake::none) break;
  }
  return seen;
}

}  // namespace

Result<Shake> knock(Context& context, std::string const& endpoint, std::string const& server_key,
                    int wait_ms) {
  crypto::SystemEntropy entropy;
  return knock_with(context, endpoint, server_key, create_keys(entropy), wait_ms);
}

Result<Shake> knock_with(Context& context, std::string const& endpoint,
                         std::string const& server_key, KeyPair const& keys, int wait_ms) {
  static std::atomic<std::uint64_t> number = 0;
  auto socket = Socket::client(context, Pattern::dealer, server_key, keys, {});
  if (!socket) return socket.error();
  auto monitor = socket->monitor(context, "knock-" + std::to_string(++number));
  if (!monitor) return monitor.error();
  auto const seen = socket->connect(endpoint) ? outcome(*monitor, wait_ms) : Shake::none;
  socket->end_monitor();
  return seen;
}

Status prove_closed_without_gatekeeper(Context& context, KeyPair const& keys) {
  for (auto const* const domain : {peer_domain, client_domain}) {
    auto server = Socket::server(context, Pattern::router, domain, keys, {});
    if (!server) return server.error();
    if (auto done = server->bind("tcp://127.0.0.1:0"); !done) return done;
    auto const seen = knock_patiently(context, server->last_endpoint(), keys.public_key);
    if (auto good = expect(seen, Shake::refused, "a door without a gatekeeper"); !good) return good;
  }
  return ok();
}

Status prove_peer_door(Context& context, std::string const& endpoint, KeyPair const& keys) {
  return expect(knock_patiently(context, endpoint, keys.public_key), Shake::refused,
                "door " + endpoint);
}

Status prove_client_door(Context& context, std::string const& endpoint, KeyPair const& keys) {
  return expect(knock_patiently(context, endpoint, keys.public_key), Shake::accepted,
                "door " + endpoint);
}

}  // namespace lepton::bus
