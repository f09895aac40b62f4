#include "tests/services/auditor/rig.hpp"

namespace lepton::auditor::testing {

AuditEvent event(std::string actor, std::string action, std::string resource,
                 AuditOutcome outcome) {
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

void Feed::add(AuditEvent const& e) {
  add_raw(std::string(AuditEvent::topic), codec::encode(e));
}

EventsPage Feed::page(EventsPull const& pull) const {
  EventsPage page{
      epoch, head(), (pull.epoch != 0 && pull.epoch != epoch) || pull.after > head(), {}};
  for (auto i = pull.after; !page.reset && i < head() && page.events.size() < pull.limit; ++i)
    page.events.push_back(events[static_cast<std::size_t>(i)]);
  return page;
}

bool Feeds::serve(actor::System& system, test::RecordingWire& wire) {
  auto const from = std::exchange(served_, wire.requests.size());
  for (auto i = from; i < served_; ++i) {
    auto const request = wire.requests[i];
    auto page = feeds_.at(request.to).page(*codec::decode<EventsPull>(request.body));
    if (change_) std::exchange(change_, nullptr)(page);
    reply(system, request, page);
  }
  return from != served_;
}

void Feeds::reply(actor::System& system, test::RecordingWire::Message const& request,
                  EventsPage const& page) {
  system.deliver_reply(
      request.to, {.kind = Kind::reply, .topic = request.header.topic, .id = request.header.id},
      codec::encode(page));
}

std::string problem_of(store::MemoryDisk const& disk, crypto::SigningKey const& key) {
  Frontier frontier;
  std::vector<Node> nodes;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> last;
  for (auto const& row : test::rows_of<EntryRow>(disk)) {
    if (row.sequence != frontier.size()) return "sequence " + std::to_string(row.sequence);
    auto& seq = last[{row.source, row.epoch}];
    if (row.source_seq != ++seq)
      return row.source + " event " + std::to_string(row.source_seq) + " after " +
             std::to_string(seq - 1);
    frontier.append(leaf_hash(*leaf_bytes(entry_of(row))), nodes);
  }
  if (frontier.size() == 0)
    return test::rows_of<HeadRow>(disk).empty() ? "" : "a head without entries";
  std::map<Coordinate, std::string> stored;
  for (auto const& row : test::rows_of<MerkleNodeRow>(disk))
    stored[{row.level, row.index}] = row.hash.data;
  if (stored.size() != nodes.size()) return "the tree has another number of nodes";
  for (auto const& node : nodes)
    if (stored[node.at] != crypto::view(node.hash)) return "a node has another hash";
  auto const heads = test::rows_of<HeadRow>(disk);
  auto const opened =
      open_checkpoint(heads.at(0).checkpoint, *NoteKey::create(origin, key.public_key()));
  if (!opened) return opened.error().what;
  if (opened->size != frontier.size() || opened->root != frontier.root())
    return "another root was signed";
  if (test::rows_of<CheckpointRow>(disk).back().text != heads[0].checkpoint)
    return "the history lacks a checkpoint";
  return "";
}

AuditorTest::AuditorTest() {
  system_settings.service = "auditor";
  settings.streams = {"audit"};
  feeds["deployer"], feeds["monitor"], feeds["scaler"], feeds["vault"];
}

void AuditorTest::boot() {
  forget();
  feeds.skip(wire);
  system = std::make_unique<actor::System>(system_settings, ports());
  system->add(
      "auditor", [this] { return std::make_unique<Auditor>(auditor_settings); }, settings);
  system->start();
  serve();
}

void AuditorTest::serve() {
  do settle();
  while (feeds.serve(*system, wire));
}

void AuditorTest::next_tick() {
  advance(500);
  serve();
}

std::int64_t AuditorTest::counter(std::string const& name) {
  return host("auditor").actor()->counters().at(name);
}

std::vector<EventsPull> AuditorTest::pulls(std::string const& peer) const {
  std::vector<EventsPull> all;
  for (auto const& request : wire.requests)
    if (request.to == peer) all.push_back(*codec::decode<EventsPull>(request.body));
  return all;
}

}  // namespace lepton::auditor::testing
