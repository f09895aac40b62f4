#pragma once
// Client: a person or program outside the suite. It sends a request, sends it again under the same
// id until it is answered or its deadline has passed, and keeps a record for the invariants. Owned
// by World; one thread.

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "common/actor/message.hpp"
#include "common/base/random.hpp"
#include "common/codec/msgpack.hpp"
#include "common/sim/network.hpp"

namespace lepton::sim {

class World;

enum class Outcome : std::uint8_t { unknown, pending, acked, refused, timeout };
consteval auto enumerators(Outcome) {
  return std::to_array<std::string_view>({"unknown", "pending", "acked", "refused", "timeout"});
}

struct Sent {
  std::string client, peer, topic, id, body;
  TimeMs sent_at = 0, ended_at = 0;
  std::uint32_t attempts = 0;
  Outcome outcome = Outcome::pending;
  std::string reply;      // encoded, of acked
  Refusal refusal;        // of refused; otherwise the last one on the way
  TimeMs refused_at = 0;  // when that one came
};

struct SendOptions {
  TimeMs deadline_ms = 30'000;
  TimeMs resend_ms = 500;     // doubles to 8 times this, with jitter
  std::uint32_t earlier = 0;  // sendings of the same id before this one
  bool retry_refused = true;  // a refusal with retry_after_ms is tried again before the deadline
  std::string id;             // empty: a fresh one
};

class Client {
 public:
  Client(World& world, PartyIndex index, std::string name, std::uint64_t seed);

  // Returns the request's place in World::history().
  template <class M>
  std::size_t send(std::string peer, M const& message, SendOptions options = {},
                   std::function<void(Result<typename M::Reply>)> then = nullptr) {
    Ended ended;
    if (then)
      ended = [then = std::move(then)](Sent const& sent) {
        if (sent.outcome == Outcome::acked)
          return then(codec::decode<typename M::Reply>(sent.reply));
        if (sent.outcome == Outcome::refused)
          return then(Error{sent.refusal.code, sent.refusal.what});
        then(Error{Code::timeout, "no answer before the deadline"});
      };
    return send_encoded(std::move(peer), std::string(M::topic), codec::encode(message),
                        std::move(options), std::move(ended));
  }
  std::string const& name() const { return name_; }
  std::size_t open() const { return open_.size(); }

  // For the world.
  void deliver(std::string const& from, Header const& header, std::string const& body);

 private:
  using Ended = std::function<void(Sent const&)>;
  struct Open {
    std::size_t place;
    SendOptions options;
    TimeMs deadline_at;
    std::uint64_t timer = 0;  // only the newest resend timer counts
    Ended ended;
  };
  std::size_t send_encoded(std::string peer, std::string topic, std::string body,
                           SendOptions options, Ended ended);
  void transmit(std::string const& id);
  void resend_after(std::string const& id, TimeMs delay_ms);
  void end(std::string const& id, Outcome outcome);

  World& world_;
  PartyIndex index_;
  std::string name_;
  Chance chance_;
  std::map<std::string, Open> open_;
};

}  // namespace lepton::sim
