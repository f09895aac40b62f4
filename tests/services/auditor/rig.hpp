#pragma once
// What the tests of the auditor share: sources whose pages the test writes, and a check of all that
// is on a disk.

#include <map>
#include <string>
#include <vector>

#include "common/crypto/hash.hpp"
#include "services/auditor/auditor.hpp"
#include "services/auditor/core/entry.hpp"
#include "tests/common/harness/service_harness.hpp"

namespace lepton::auditor::testing {

inline constexpr char const* origin = "log.test/lepton";

inline crypto::SigningKey log_key(std::uint64_t seed = 5) {
  crypto::SeededEntropy entropy(seed);
  return crypto::SigningKey::create(entropy);
}

AuditEvent event(std::string actor, std::string action, std::string resource,
                 AuditOutcome outcome = AuditOutcome::done);

// A service's stream "audit" as its host would serve it.
struct Feed {
  std::int64_t epoch = 1;
  std::vector<EventRecord> events;

  void add(AuditEvent const& e);
  void add_raw(std::string topic, std::string body) {
    events.push_back({head() + 1, std::move(topic), Bytes{std::move(body)}, 1'790'000'000'001});
  }
  std::int64_t head() const { return static_cast<std::int64_t>(events.size()); }
  EventsPage page(EventsPull const& pull) const;
};

// Answers the pulls that stand in a recording wire.
class Feeds {
 public:
  Feed& operator[](std::string const& name) { return feeds_[name]; }
  void change_next(std::function<void(EventsPage&)> change) { change_ = std::move(change); }

  // True when there was one to answer.
  bool serve(actor::System& system, test::RecordingWire& wire);
  static void reply(actor::System& system, test::RecordingWire::Message const& request,
                    EventsPage const& page);
  void skip(test::RecordingWire const& wire) { served_ = wire.requests.size(); }

 private:
  std::map<std::string, Feed> feeds_;
  std::function<void(EventsPage&)> change_;
  std::size_t served_ = 0;
};

// Why what is durable is not a whole log; empty when it is. Entries of one source and epoch are
// numbered without gaps or repetition, the tree is that of the entries, and the newest checkpoint
// signs it.
std::string problem_of(store::MemoryDisk const& disk, crypto::SigningKey const& key);

class AuditorTest : public test::Harness {
 protected:
  Feeds feeds;
  Settings auditor_settings{.key = log_key(), .origin = origin};

  AuditorTest();
  // A fresh process on the same disk; the answers to the old one are lost.
  void boot();
  void serve();
  // One round of the timer.
  void next_tick();
  std::string problem() const { return problem_of(*store.disk, auditor_settings.key); }
  std::vector<EntryRow> entries() const { return test::rows_of<EntryRow>(*store.disk); }
  std::int64_t counter(std::string const& name);
  actor::Host& host(std::string const& name) { return system->host(name); }
  std::vector<EventsPull> pulls(std::string const& peer) const;
  template <class M>
  Result<typename M::Reply> query(M const& message, std::string caller = "ann") {
    auto const id = "q" + std::to_string(++queries_);
    post(id, message, {.caller = std::move(caller)});
    auto const all = answers(id);
    if (all.size() != 1) return Error{Code::unknown, std::to_string(all.size()) + " answers"};
    if (all[0].header.kind == Kind::refusal) {
      auto const refusal = *codec::decode<Refusal>(all[0].body);
      return Error{refusal.code, refusal.what};
    }
    return codec::decode<typename M::Reply>(all[0].body);
  }
  // Behind the auditor's back.
  template <store::Row T>
  void tamper(T const& row) {
    auto const why =
        store.disk->apply({{{store::Op::upsert, &store::table_of<T>(), store::to_cells(row)}}});
    ASSERT_FALSE(why) << *why;
  }

 private:
  int queries_ = 0;
};

}  // namespace lepton::auditor::testing
