#pragma once
// What the tests of the auditor share: sources whose pages the test writes, and a check of all that
// is on a disk.

#include <map>
#include <string>
#include <vector>

#include "common/crypto/hash.hpp"
#include "services/auditor/auditor.hpp"
#include "services/auditor/core/entry.hpp"
#include "tests/common/actor/harness.hpp"

namespace lepton::auditor::testing {

inline constexpr char const* origin = "log.test/lepton";

inline crypto::SigningKey log_key(std::uint64_t seed = 5) {
  crypto::SeededEntropy entropy(seed);
  return crypto::SigningKey::create(entropy);
}

inline AuditEvent event(std::string actor, std::string action, std::string resource,
                        AuditOutcome outcome = AuditOutcome::done) {
  AuditEvent e;
  e.at_ms = 1'790'000'000'000;
  e.actor = std::move(actor);
  e.action = std::move(action);
  e.resource = std::move(resource);
  e.outcome = outcome;
  e.request_id = "r-1";
  e.detail = {{"zone", "b"}, {"job", "j1"}};
  return e;
}

// A service's stream "audit" as its host would serve it.
struct Feed {
  std::int64_t epoch = 1;
  std::vector<EventRecord> events;

  void add(AuditEvent const& e) { add_raw(std::string(AuditEvent::topic), codec::encode(e)); }
  void add_raw(std::string topic, std::string body) {
    events.push_back({head() + 1, std::move(topic), Bytes{std::move(body)}, 1'790'000'000'001});
  }
  std::int64_t head() const { return static_cast<std::int64_t>(events.size()); }
  EventsPage page(EventsPull const& pull) const {
    EventsPage page{
        epoch, head(), (pull.epoch != 0 && pull.epoch != epoch) || pull.after > head(), {}};
    for (auto i = pull.after; !page.reset && i < head() && page.events.size() < pull.limit; ++i)
      page.events.push_back(events[static_cast<std::size_t>(i)]);
    return page;
  }
};

// Answers the pulls that stand in a recording wire.
class Feeds {
 public:
  Feed& operator[](std::string const& name) { return feeds_[name]; }
  void change_next(std::function<void(EventsPage&)> change) { change_ = std::move(change); }

  // True when there was one to answer.
  bool serve(actor::System& system, test::RecordingWire& wire) {
    auto const from = std::exchange(served_, wire.requests.size());
    for (auto i = from; i < served_; ++i) {
      auto const request = wire.requests[i];
      auto page = feeds_.at(request.to).page(*codec::decode<EventsPull>(request.body));
      if (change_) std::exchange(change_, nullptr)(page);
      reply(system, request, page);
    }
    return from != served_;
  }
  static void reply(actor::System& system, test::RecordingWire::Message const& request,
                    EventsPage const& page) {
    system.deliver_reply(
        request.to, {.kind = Kind::reply, .topic = request.header.topic, .id = request.header.id},
        codec::encode(page));
  }
  void skip(test::RecordingWire const& wire) { served_ = wire.requests.size(); }

 private:
  std::map<std::string, Feed> feeds_;
  std::function<void(EventsPage&)> change_;
  std::size_t served_ = 0;
};

template <store::Row T>
std::vector<T> rows(store::MemoryDisk const& disk) {
  std::vector<T> all;
  for (auto const& [key, cells] : disk.rows(T::table)) all.push_back(*store::from_cells<T>(cells));
  return all;
}

// Why what is durable is not a whole log; empty when it is. Entries of one source and epoch are
// numbered without gaps or repetition, the tree is that of the entries, and the newest checkpoint
// signs it.
inline std::string problem_of(store::MemoryDisk const& disk, crypto::SigningKey const& key) {
  Frontier frontier;
  std::vector<Node> nodes;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> last;
  for (auto const& row : rows<EntryRow>(disk)) {
    if (row.sequence != frontier.size()) return "sequence " + std::to_string(row.sequence);
    auto& seq = last[{row.source, row.epoch}];
    if (row.source_seq != ++seq)
      return row.source + " event " + std::to_string(row.source_seq) + " after " +
             std::to_string(seq - 1);
    frontier.append(leaf_hash(*leaf_bytes(entry_of(row))), nodes);
  }
  if (frontier.size() == 0) return rows<HeadRow>(disk).empty() ? "" : "a head without entries";
  std::map<Coordinate, std::string> stored;
  for (auto const& row : rows<MerkleNodeRow>(disk)) stored[{row.level, row.index}] = row.hash.data;
  if (stored.size() != nodes.size()) return "the tree has another number of nodes";
  for (auto const& node : nodes)
    if (stored[node.at] != crypto::view(node.hash)) return "a node has another hash";
  auto const heads = rows<HeadRow>(disk);
  auto const opened =
      open_checkpoint(heads.at(0).checkpoint, *NoteKey::create(origin, key.public_key()));
  if (!opened) return opened.error().what;
  if (opened->size != frontier.size() || opened->root != frontier.root())
    return "another root was signed";
  if (rows<CheckpointRow>(disk).back().text != heads[0].checkpoint)
    return "the history lacks a checkpoint";
  return "";
}

class AuditorTest : public test::Harness {
 protected:
  Feeds feeds;
  Settings auditor_settings{.key = log_key(), .origin = origin};

  AuditorTest() {
    system_settings.service = "auditor";
    settings.streams = {"audit"};
    feeds["deployer"], feeds["monitor"], feeds["scaler"], feeds["vault"];
  }
  // A fresh process on the same disk; the answers to the old one are lost.
  void boot() {
    forget();
    feeds.skip(wire);
    system = std::make_unique<actor::System>(system_settings, ports());
    system->add(
        "auditor", [this] { return std::make_unique<Auditor>(auditor_settings); }, settings);
    system->start();
    serve();
  }
  void serve() {
    do settle();
    while (feeds.serve(*system, wire));
  }
  // One round of the timer.
  void next_tick() {
    advance(500);
    serve();
  }
  std::string problem() const { return problem_of(*store.disk, auditor_settings.key); }
  std::vector<EntryRow> entries() const { return rows<EntryRow>(*store.disk); }
  std::int64_t counter(std::string const& name) {
    return host("auditor").actor()->counters().at(name);
  }
  actor::Host& host(std::string const& name) { return system->host(name); }
  std::vector<EventsPull> pulls(std::string const& peer) const {
    std::vector<EventsPull> all;
    for (auto const& request : wire.requests)
      if (request.to == peer) all.push_back(*codec::decode<EventsPull>(request.body));
    return all;
  }
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
