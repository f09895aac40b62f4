#include "services/deployer/decisions/decision_log.hpp"

#include <algorithm>
#include <iterator>

#include "common/codec/msgpack.hpp"
#include "services/deployer/core/choices.hpp"

namespace lepton::deployer {
namespace {

constexpr std::int64_t numbers_per_claim = 1'000;  // one write of the head for so many rows

DecisionRow row_of(DecisionInput const& in, DecisionOutcome const& out, Reasons reasons) {
  DecisionRow row;
  row.kind = schema::name_of(in.kind);
  row.job = in.job;
  row.pool = in.pool;
  row.policy = in.policy;
  row.nodes = nodes_of(out.places);
  row.victims = out.victims;
  row.why = out.what;
  row.terms = score_terms(reasons.terms);
  row.waits = std::move(reasons.waits);
  return row;
}

// Entries that a row of it holds.
std::size_t size_of(DecisionInput const& in) {
  auto size = in.ends.size();
  for (auto const& r : in.running) size += 1 + r.held.size();
  for (auto const& l : in.limited) size += 1 + l.held.size();
  return size;
}

}  // namespace

DecisionLog::DecisionLog(Cluster& cluster, Placer const& placer, DecisionLimits limits)
    : cluster_(cluster), placer_(placer), limits_(limits) {}

std::vector<store::Table const*> DecisionLog::tables() {
  return {&store::table_of<DecisionLogRow>()};
}

void DecisionLog::restore(actor::Rows const& rows) {
  for (auto const& row : rows.of<DecisionLogRow>()) {
    next_ = claimed_ = row.next;
    snapshots_ = row.snapshots;
  }
}

void DecisionLog::start(actor::Context& c) {
  cluster_.watch(&recorder_);
  begin_snapshot(c);
}

void DecisionLog::tick(actor::Context& c) {
  if (next_ >= next_snapshot_)
    begin_snapshot(c);
  else if (recorder_.size() >= limits_.steps_waiting)
    write(recorder_.take(), state_row, c);
}

std::int64_t DecisionLog::decided(DecisionInput input, DecisionOutcome outcome, Reasons reasons,
                                  actor::Context& c, bool whole) {
  whole = whole && size_of(input) <= limits_.input_max;
  if (!whole) input.running.clear(), input.limited.clear(), input.ends.clear();
  if (recorder_.size() >= limits_.steps_per_row) write(recorder_.take(), state_row, c);
  auto row = row_of(input, outcome, std::move(reasons));
  row.number = take_number(c);
  row.at_ms = c.wall();
  recorder_.decided({row.number, std::move(input), std::move(outcome), whole});
  row.steps = Bytes{codec::encode(Steps{recorder_.take()})};
  c.append(row);
  return row.number;
}

// What happened so far is in it. One of a large cluster is rarer, so that it costs each decision no
// more than a step.
void DecisionLog::begin_snapshot(actor::Context& c) {
  recorder_.take();
  snapshots_.push_back(next_);
  auto steps = snapshot_of(cluster_, placer_);
  next_snapshot_ = next_ + std::max(limits_.snapshot_every, std::int64_t(steps.size()));
  write(std::move(steps), snapshot_row, c);
  drop_old(c);
  save(c);
}

void DecisionLog::write(std::vector<Step> steps, std::string_view kind, actor::Context& c) {
  auto from = std::make_move_iterator(steps.begin());
  auto const end = std::make_move_iterator(steps.end());
  while (from != end) {
    auto const size = std::min<std::ptrdiff_t>(end - from, std::ptrdiff_t(limits_.steps_per_row));
    DecisionRow row;
    row.number = take_number(c);
    row.at_ms = c.wall();
    row.kind = std::exchange(kind, state_row);
    row.steps = Bytes{codec::encode(Steps{{from, from + size}})};
    c.append(row);
    from += size;
  }
}

std::int64_t DecisionLog::take_number(actor::Context& c) {
  if (next_ == claimed_) {
    claimed_ += numbers_per_claim;
    save(c);
  }
  return next_++;
}

void DecisionLog::save(actor::Context& c) const {
  c.upsert(DecisionLogRow{.next = claimed_, .snapshots = snapshots_});
}

void DecisionLog::drop_old(actor::Context& c) {
  std::size_t old = 0;
  while (old + 1 < snapshots_.size() && next_ - snapshots_[old + 1] >= limits_.kept) ++old;
  if (old == 0) return;
  snapshots_.erase(snapshots_.begin(), snapshots_.begin() + std::ptrdiff_t(old));
  c.erase_to<DecisionRow>({snapshots_.front() - 1});
}

}  // namespace lepton::deployer
