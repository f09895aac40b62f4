#include "tests/common/harness/harness.hpp"

namespace lepton::test {

void RecordingWire::request(std::string const& peer, Header const& header,
                            std::string const& body) {
  requests.push_back({peer, header, body});
}

void RecordingWire::answer(actor::Route const& route, Header const& header,
                           std::string const& body) {
  answers.push_back({route.identity, header, body});
}

void RecordingWire::publish(Hint const& hint) {
  hints.push_back(hint);
}

Status NamedGate::allow(actor::Caller const& caller, Verb, std::string_view resource) {
  if (caller.name != denied) return ok();
  return Error{Code::denied, "no policy lets " + caller.name + " touch " + std::string(resource)};
}

void HeldWorker::run(std::function<void()> job, std::function<void()> then) {
  job();
  done.push_back(std::move(then));
}

Harness::Harness() {
  settings.streams = {"audit", "news"};
}

Harness::~Harness() = default;

actor::Ports Harness::ports() {
  return {clock,  store,
          wire,   gate,
          worker, entropy,
          chance, [this](actor::Level, std::string const& text) { logs.push_back(text); }};
}

void Harness::boot() {
  forget();
  system = std::make_unique<actor::System>(system_settings, ports());
  system->add(
      "desk", [this] { return std::make_unique<DeskActor>(seen); }, settings);
  system->start();
  settle();
}

void Harness::forget() {
  system.reset();
  store.answers.clear();
  store.commit_answers.clear();
  worker.done.clear();
}

void Harness::TearDown() {
  forget();
}

void Harness::settle() {
  for (int i = 0; i < 10'000; ++i) {
    bool more = system->step();
    if (!store.answers.empty()) more = true, pop(store.answers);
    if (!store.hold_commits && !store.commit_answers.empty())
      more = true, pop(store.commit_answers);
    if (!more) return;
  }
  FAIL() << "the system never comes to rest";
}

void Harness::advance(TimeMs ms) {
  auto const end = clock.now + ms;
  while (clock.now < end) {
    auto const next = system->next_at();
    clock.now = std::min(end, std::max(clock.now + 1, next.value_or(end)));
    settle();
  }
}

void Harness::answer_commit() {
  ASSERT_FALSE(store.commit_answers.empty());
  pop(store.commit_answers);
  settle();
}

void Harness::pop(std::deque<std::function<void()>>& queue) {
  auto const task = std::move(queue.front());
  queue.pop_front();
  task();
}

actor::Request Harness::request(std::string id, std::string_view topic, std::string body,
                                SendSettings const& s) {
  actor::Request r;
  r.caller = {s.door, s.caller, "key", {}};
  r.route = {0, s.caller};
  r.header.kind = Kind::request;
  r.header.topic = topic;
  r.header.id = std::move(id);
  r.header.deadline_ms = s.deadline_ms;
  r.header.attempt = s.attempt;
  r.body = std::move(body);
  return r;
}

std::vector<RecordingWire::Message> Harness::answers(std::string const& id) const {
  std::vector<RecordingWire::Message> found;
  for (auto const& a : wire.answers)
    if (a.header.id == id) found.push_back(a);
  return found;
}

std::string Harness::answer(std::string const& id) const {
  auto const all = answers(id);
  if (all.empty()) return "none";
  if (all.size() > 1) return "twice";
  if (all[0].header.kind == Kind::refusal)
    return std::string(schema::name_of(codec::decode<Refusal>(all[0].body)->code));
  auto const value = codec::decode<Value>(all[0].body);
  return value ? "= " + std::to_string(value->n) : "secret";
}

Refusal Harness::refusal(std::string const& id) const {
  return *codec::decode<Refusal>(answers(id).back().body);
}

std::int64_t Harness::stored(std::string const& key) const {
  auto const& rows = store.disk->rows("value");
  auto const found = rows.find({store::Cell(key)});
  return found == rows.end() ? -1 : std::get<std::int64_t>(found->second[1]);
}

std::vector<AuditEvent> Harness::audited() const {
  std::vector<AuditEvent> events;
  for (auto const& [key, row] : store.disk->rows("event"))
    if (std::get<std::string>(key[0]) == "audit")
      events.push_back(*codec::decode<AuditEvent>(std::get<Bytes>(row[3]).data));
  return events;
}

DeskActor const& Harness::desk() {
  return dynamic_cast<DeskActor const&>(*host().actor());
}

}  // namespace lepton::test
