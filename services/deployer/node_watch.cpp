#include "services/deployer/node_watch.hpp"

namespace lepton::deployer {
namespace {

constexpr TimeMs timeout_ms = 3'000;
constexpr std::uint32_t page_max = 500;

}  // namespace

// Heads are announced twice a second, so what failed is asked again soon.
void NodeWatch::on_hint(Hint const& hint, actor::Context& c) {
  if (hint.sender != "monitor" || hint.stream != "nodes") return;
  doubts_.monitor_heard(c.now());
  if (asking_ || (hint.epoch == epoch_ && hint.head <= seq_)) return;
  if (hint.epoch == epoch_)
    pull(c);
  else
    begin(c);
}

void NodeWatch::begin(actor::Context& c) {
  asking_ = true;
  c.ask("monitor", SnapshotGet{"monitor", "nodes"}, timeout_ms,
        [this](Result<Snapshot> const& got, actor::Context& later) { take_all(got, later); });
}

void NodeWatch::pull(actor::Context& c) {
  asking_ = true;
  c.ask("monitor", EventsPull{"monitor", "nodes", "deployer", epoch_, seq_, page_max}, timeout_ms,
        [this](Result<EventsPage> const& got, actor::Context& later) { take(got, later); });
}

void NodeWatch::take_all(Result<Snapshot> const& got, actor::Context& c) {
  asking_ = false;
  auto const states =
      got ? codec::decode<NodeStates>(got->body.data) : Result<NodeStates>(got.error());
  if (!states) return;
  epoch_ = got->epoch;
  seq_ = got->head;
  doubts_.clear();
  for (auto const& change : states->nodes) told(change, c);
}

// A cursor that does not fit any more begins with the states again.
void NodeWatch::take(Result<EventsPage> const& got, actor::Context& c) {
  asking_ = false;
  if (!got) return;
  if (got->reset || got->epoch != epoch_) return begin(c);
  for (auto const& event : got->events) {
    if (event.seq != seq_ + 1) return begin(c);
    seq_ = event.seq;
    auto const changed = codec::decode<NodeStateChanged>(event.body.data);
    if (changed) told(changed->change, c);
  }
  if (got->head > seq_ && !got->events.empty()) pull(c);
}

void NodeWatch::told(NodeChange const& change, actor::Context& c) {
  doubts_.told(NodeId{change.node}, change.state, change.reason, c.now());
  changed_(NodeId{change.node}, c);
}

}  // namespace lepton::deployer
