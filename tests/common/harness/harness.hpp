#pragma once
// A hand-driven surrounding of one actor system: manual clock, store whose answers the test gives,
// recording wire. Its actor is the desk; the actors of services have ServiceHarness.

#include <gtest/gtest.h>

#include <deque>

#include "common/actor/system.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "tests/common/harness/desk.hpp"
#include "tests/common/harness/scripted_store.hpp"

namespace lepton::test {

struct ManualClock final : Clock {
  TimeMs now = 1'000;
  WallMs wall = 1'800'000'000'000;  // at time 0; a test may set it back or ahead
  TimeMs now_ms() const override { return now; }
  WallMs wall_ms() const override { return wall + now; }
};

struct RecordingWire final : actor::Wire {
  struct Message {
    std::string to;
    Header header;
    std::string body;
  };
  std::vector<Message> requests, answers;
  std::vector<Hint> hints;
  void request(std::string const& peer, Header const& header, std::string const& body) override;
  void answer(actor::Route const& route, Header const& header, std::string const& body) override;
  void publish(Hint const& hint) override;
};

struct NamedGate final : actor::Gate {
  std::string denied = "eve";
  Status allow(actor::Caller const& caller, Verb, std::string_view resource) override;
};

struct HeldWorker final : actor::Worker {
  std::deque<std::function<void()>> done;
  void run(std::function<void()> job, std::function<void()> then) override;
};

struct SendSettings {
  std::string caller = "ann";
  std::uint32_t attempt = 1;
  TimeMs deadline_ms = 10'000;
  actor::Door door = actor::Door::client;
};

class Harness : public ::testing::Test {
 protected:
  Harness();
  ~Harness() override;

  ManualClock clock;
  ScriptedStore store;
  RecordingWire wire;
  NamedGate gate;
  HeldWorker worker;
  crypto::SeededEntropy entropy{1};
  Chance chance{1};
  Seen seen;
  std::vector<std::string> logs;
  actor::SystemSettings system_settings{.service = "desk"};
  actor::HostSettings settings;
  std::unique_ptr<actor::System> system;

  actor::Ports ports();
  void boot();  // a fresh process on the same disk
  void forget();
  void TearDown() override;

  void settle();  // until nothing moves at this time; a store that holds commits keeps them
  void advance(TimeMs ms);
  void answer_commit();
  static void pop(std::deque<std::function<void()>>& queue);

  static actor::Request request(std::string id, std::string_view topic, std::string body,
                                SendSettings const& s);
  template <class M>
  actor::Request request(std::string id, M const& message, SendSettings const& s = {}) {
    return request(std::move(id), M::topic, codec::encode(message), s);
  }
  template <class M>
  void send(std::string id, M const& message, SendSettings const& s = {}) {
    system->deliver_request(request(std::move(id), message, s));
  }
  template <class M>
  void post(std::string id, M const& message, SendSettings const& s = {}) {
    send(std::move(id), message, s);
    settle();
  }
  std::vector<RecordingWire::Message> answers(std::string const& id) const;
  // The only answer to the request, as text: "= 5", or "denied", ..., "none", or "twice".
  std::string answer(std::string const& id) const;
  Refusal refusal(std::string const& id) const;
  std::int64_t stored(std::string const& key) const;
  std::vector<AuditEvent> audited() const;
  actor::Host& host() { return system->host("desk"); }
  DeskActor const& desk();
};

}  // namespace lepton::test
