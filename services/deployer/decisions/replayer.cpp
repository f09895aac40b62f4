#include "services/deployer/decisions/replayer.hpp"

#include "common/codec/msgpack.hpp"
#include "services/deployer/core/choices.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t different_max = 100;
constexpr codec::Limits row_limits{64u << 20, 1u << 18, 16};  // written by ourselves

}  // namespace

DecisionLine decision_line(DecisionRow const& r) {
  return {r.number, r.at_ms,   r.kind, r.job,   r.pool, r.policy,
          r.nodes,  r.victims, r.why,  r.terms, r.waits};
}

Status Replayer::feed(DecisionRow const& row) {
  auto const steps = codec::decode<Steps>(row.steps.data, row_limits);
  if (!steps)
    return Error{Code::internal, "record " + std::to_string(row.number) +
                                     " of the decisions cannot be read: " + steps.error().what};
  if (row.kind == snapshot_row) replay_ = std::make_unique<Replay>();
  if (!replay_)
    return Error{Code::not_found, "no snapshot stands before record " + std::to_string(row.number)};
  if (result_.first == 0) result_.first = row.number;
  result_.last = row.number;
  for (auto const& step : steps->steps) {
    if (auto applied = replay_->apply(step); !applied)
      return Error{Code::internal,
                   "record " + std::to_string(row.number) +
                       " of the decisions contradicts those before it: " + applied.error().what};
    if (step.decision) decide(*step.decision, row);
  }
  return ok();
}

void Replayer::decide(Decision const& decision, DecisionRow const& row) {
  if (number_ != 0 && row.number != number_) return;
  if (number_ != 0) look_closely(decision, row);
  auto const again = decision.whole ? replay_->decide(decision.input) : std::nullopt;
  if (!again) {
    ++result_.given;
    return;
  }
  ++result_.replayed;
  if (*again != decision.outcome && result_.different.size() < different_max)
    result_.different.push_back(decision.number);
  if (number_ == 0) return;
  result_.why = again->what;
  result_.nodes = nodes_of(again->places);
}

void Replayer::look_closely(Decision const& decision, DecisionRow const& row) {
  auto const& in = decision.input;
  result_.decision = {decision_line(row)};
  result_.pool_nodes = static_cast<std::uint32_t>(replay_->cluster().pool(in.pool).size());
  auto const* policy = replay_->policy(in.policy, in.pool);
  if (policy == nullptr || most_choices_ == 0) return;
  auto const& places = decision.outcome.places;
  auto ranked =
      ranked_choices(Draft(replay_->cluster()), replay_->cluster(), in.request, in.pool, *policy,
                     places.empty() ? NodeId{} : places.front().node, most_choices_);
  result_.nodes_that_fit = ranked.nodes_that_fit;
  result_.choices = std::move(ranked.choices);
}

}  // namespace lepton::deployer
