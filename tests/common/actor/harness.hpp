#pragma once
// A hand-driven surrounding of one actor system: manual clock, store whose answers the test gives,
// recording wire.

#include <gtest/gtest.h>

#include <deque>

#include "common/actor/system.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "common/store/memory_store.hpp"
#include "tests/common/actor/messages.hpp"

namespace lepton::test {

struct ManualClock final : Clock {
  TimeMs now = 1'000;
  WallMs wall = 1'800'000'000'000;  // at time 0; a test may set it back or ahead
  TimeMs now_ms() const override { return now; }
  WallMs wall_ms() const override { return wall + now; }
};

// Answers when the test says so, and with the outcome that it says; the disk is a real MemoryDisk.
class ScriptedStore final : public store::Store {
 public:
  using Batch = store::Batch;
  void commit(Batch batch, Committed done) override {
    auto const kind = next_kind();
    store::MemoryStore memory(disk,
                              {.post = [this](auto tell) { told_.push_back(std::move(tell)); },
                               .fault =
                                   [kind](Batch const&) {
                                     return store::Fault{kind, 0};
                                   }});
    memory.commit(batch, [this](store::CommitResult result) { result_ = std::move(result); });
    told_.front()();  // the twin's answer, given to the actor later
    told_.clear();
    if (fenced) result_ = {store::Outcome::fenced, "epoch 2 holds the lease"};
    commits.push_back(std::move(batch));
    commit_answers.push_back([done = std::move(done), result = result_] { done(result); });
  }
  void load(std::vector<store::Table const*> tables, Loaded done) override {
    if (reads_fail) return answers.push_back([done] { done(Error{Code::unavailable, "away"}); });
    std::vector<std::vector<store::Cells>> all;
    for (auto const* table : tables) {
      auto& out = all.emplace_back();
      for (auto const& [key, row] : disk->rows(table->name)) out.push_back(row);
    }
    answers.push_back([done, all] { done(all); });
  }
  void find(store::Query query, Found done) override {
    ++finds;
    if (reads_fail) return answers.push_back([done] { done(Error{Code::unavailable, "away"}); });
    store::MemoryStore memory(disk, {.post = [](auto tell) { tell(); }});
    memory.find(std::move(query), [this, &done](auto found) {
      answers.push_back([done, found = std::move(found)] { done(found); });
    });
  }

  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::vector<Batch> commits;
  std::deque<std::function<void()>> commit_answers, answers;
  std::deque<store::FaultKind> script;  // of the next commits
  bool hold_commits = false, reads_fail = false, fenced = false;
  int finds = 0;

 private:
  store::FaultKind next_kind() {
    if (script.empty()) return store::FaultKind::none;
    auto const kind = script.front();
    script.pop_front();
    return kind;
  }
  std::vector<std::function<void()>> told_;
  store::CommitResult result_;
};

struct RecordingWire final : actor::Wire {
  struct Message {
    std::string to;
    Header header;
    std::string body;
  };
  std::vector<Message> requests, answers;
  std::vector<Hint> hints;
  void request(std::string const& peer, Header const& header, std::string const& body) override {
    requests.push_back({peer, header, body});
  }
  void answer(actor::Route const& route, Header const& header, std::string const& body) override {
    answers.push_back({route.identity, header, body});
  }
  void publish(Hint const& hint) override { hints.push_back(hint); }
};

struct NamedGate final : actor::Gate {
  std::string denied = "eve";
  Status allow(actor::Caller const& caller, Verb, std::string_view resource) override {
    if (caller.name != denied) return ok();
    return Error{Code::denied, "no policy lets " + caller.name + " touch " + std::string(resource)};
  }
};

struct HeldWorker final : actor::Worker {
  std::deque<std::function<void()>> done;
  void run(std::function<void()> job, std::function<void()> then) override {
    job();
    done.push_back(std::move(then));
  }
};

struct SendSettings {
  std::string caller = "ann";
  std::uint32_t attempt = 1;
  TimeMs deadline_ms = 10'000;
  actor::Door door = actor::Door::client;
};

class Harness : public ::testing::Test {
 protected:
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
  actor::HostSettings settings = [] {
    actor::HostSettings s;
    s.streams = {"audit", "news"};
    return s;
  }();
  std::unique_ptr<actor::System> system;

  actor::Ports ports() {
    return {clock,  store,
            wire,   gate,
            worker, entropy,
            chance, [this](actor::Level, std::string const& text) { logs.push_back(text); }};
  }
  // A fresh process on the same disk.
  void boot() {
    forget();
    system = std::make_unique<actor::System>(system_settings, ports());
    system->add(
        "desk", [this] { return std::make_unique<DeskActor>(seen); }, settings);
    system->start();
    settle();
  }
  void forget() {
    system.reset();
    store.answers.clear();
    store.commit_answers.clear();
    worker.done.clear();
  }
  void TearDown() override { forget(); }

  // Until nothing moves at this time; commits stay unanswered while the store holds them.
  void settle() {
    for (int i = 0; i < 10'000; ++i) {
      bool more = system->step();
      if (!store.answers.empty()) more = true, pop(store.answers);
      if (!store.hold_commits && !store.commit_answers.empty())
        more = true, pop(store.commit_answers);
      if (!more) return;
    }
    FAIL() << "the system never comes to rest";
  }
  void advance(TimeMs ms) {
    auto const end = clock.now + ms;
    while (clock.now < end) {
      auto const next = system->next_at();
      clock.now = std::min(end, std::max(clock.now + 1, next.value_or(end)));
      settle();
    }
  }
  void answer_commit() {
    ASSERT_FALSE(store.commit_answers.empty());
    pop(store.commit_answers);
    settle();
  }
  static void pop(std::deque<std::function<void()>>& queue) {
    auto const task = std::move(queue.front());
    queue.pop_front();
    task();
  }

  template <class M>
  actor::Request request(std::string id, M const& message, SendSettings s = {}) {
    actor::Request r;
    r.caller = {s.door, s.caller, "key", {}};
    r.route = {0, s.caller};
    r.header.kind = Kind::request;
    r.header.topic = M::topic;
    r.header.id = std::move(id);
    r.header.deadline_ms = s.deadline_ms;
    r.header.attempt = s.attempt;
    r.body = codec::encode(message);
    return r;
  }
  template <class M>
  void send(std::string id, M const& message, SendSettings s = {}) {
    system->deliver_request(request(std::move(id), message, s));
  }
  template <class M>
  void post(std::string id, M const& message, SendSettings s = {}) {
    send(std::move(id), message, s);
    settle();
  }
  std::vector<RecordingWire::Message> answers(std::string const& id) const {
    std::vector<RecordingWire::Message> found;
    for (auto const& a : wire.answers)
      if (a.header.id == id) found.push_back(a);
    return found;
  }
  // The only answer to the request, as text: "= 5", or "denied", ..., "none", or "twice".
  std::string answer(std::string const& id) const {
    auto const all = answers(id);
    if (all.empty()) return "none";
    if (all.size() > 1) return "twice";
    if (all[0].header.kind == Kind::refusal)
      return std::string(schema::name_of(codec::decode<Refusal>(all[0].body)->code));
    auto const value = codec::decode<Value>(all[0].body);
    return value ? "= " + std::to_string(value->n) : "secret";
  }
  Refusal refusal(std::string const& id) const {
    return *codec::decode<Refusal>(answers(id).back().body);
  }
  std::int64_t stored(std::string const& key) const {
    auto const& rows = store.disk->rows("value");
    auto const found = rows.find({store::Cell(key)});
    return found == rows.end() ? -1 : std::get<std::int64_t>(found->second[1]);
  }
  std::vector<AuditEvent> audited() const {
    std::vector<AuditEvent> events;
    for (auto const& [key, row] : store.disk->rows("event"))
      if (std::get<std::string>(key[0]) == "audit")
        events.push_back(*codec::decode<AuditEvent>(std::get<Bytes>(row[3]).data));
    return events;
  }
  actor::Host& host() { return system->host("desk"); }
  DeskActor const& desk() { return dynamic_cast<DeskActor const&>(*host().actor()); }
};

}  // namespace lepton::test
