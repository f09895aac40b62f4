#include "services/deployer/core/rollout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/planted.hpp"

namespace lepton::deployer {
namespace {

bool is_live(Replica const& r) {
  return r.state == ReplicaState::starting || r.state == ReplicaState::ready ||
         r.state == ReplicaState::unready;
}

bool is_ready(Replica const& r) {
  return r.state == ReplicaState::ready;
}

bool is_counted_upon(Replica const& r) {
  return is_ready(r) && !r.silent;
}

class Plan {
 public:
  Plan(RolloutTarget const& target, std::vector<Replica> replicas)
      : target_(target), replicas_(std::move(replicas)) {
    std::sort(replicas_.begin(), replicas_.end(),
              [](auto const& a, auto const& b) { return a.number > b.number; });
    present_ = replicas_.size();
    ready_ = count(is_counted_upon);
  }

  std::vector<RolloutStep> make() {
    if (target_.stalled)
      give_up_failed();
    else
      replace_old();
    reduce();
    start();
    return std::move(steps_);
  }

 private:
  bool is_wanted(Replica const& r) const { return r.template_number == target_.template_number; }

  template <class F>
  std::size_t count(F const& f) const {
    return static_cast<std::size_t>(std::count_if(replicas_.begin(), replicas_.end(), f));
  }

  // Replicas of which no fewer may be ready.
  std::size_t floor() const {
    if (planted("rollout_floor_ignored")) return 0;
    return target_.replicas - std::min(target_.max_unavailable, target_.replicas);
  }

  void go(Replica& r) {
    if (is_ready(r)) --ready_;
    steps_.push_back({is_ready(r) ? StepKind::drain : StepKind::stop, 0, r.number});
    r.state = is_ready(r) ? ReplicaState::draining : ReplicaState::stopping;
  }

  // Newest first; ready ones only while enough others are.
  template <class F>
  void give_up(F const& which, std::size_t most) {
    for (auto& r : replicas_) {
      if (most == 0) return;
      if (!is_live(r) || r.silent || !which(r) || (is_ready(r) && ready_ <= floor())) continue;
      go(r);
      --most;
    }
  }

  void replace_old() {
    give_up([this](Replica const& r) { return !is_wanted(r) && !is_ready(r); }, present_);
    give_up([this](Replica const& r) { return !is_wanted(r) && is_ready(r); }, present_);
  }

  // Those that never became ready hold places that proven ones can take.
  void give_up_failed() {
    give_up([this](Replica const& r) { return is_wanted(r) && !is_ready(r); }, present_);
  }

  std::size_t counted() const {
    return count(
        [this](Replica const& r) { return is_live(r) && (target_.stalled || is_wanted(r)); });
  }
  std::size_t surplus() const {
    auto const n = counted();
    return n > target_.replicas ? n - target_.replicas : 0;
  }

  void reduce() {
    auto const mine = [this](Replica const& r) { return target_.stalled || is_wanted(r); };
    give_up([&](Replica const& r) { return mine(r) && !is_ready(r); }, surplus());
    if (target_.stalled) give_up([this](Replica const& r) { return is_wanted(r); }, surplus());
    give_up(mine, surplus());
  }

  void start() {
    auto const which = target_.stalled ? target_.proven : target_.template_number;
    if (!target_.may_start || which == 0) return;
    auto const have = counted();
    auto const missing = target_.replicas > have ? target_.replicas - have : 0;
    auto const most = std::size_t(target_.replicas) + target_.max_surge;
    auto const room = most > present_ ? most - present_ : 0;
    for (std::size_t i = 0; i < std::min(missing, room); ++i)
      steps_.push_back({StepKind::start, which, 0});
  }

  RolloutTarget const& target_;
  std::vector<Replica> replicas_;
  std::size_t present_ = 0;
  std::size_t ready_ = 0;
  std::vector<RolloutStep> steps_;
};

}  // namespace

std::vector<RolloutStep> plan_rollout(RolloutTarget const& target, std::vector<Replica> replicas) {
  return Plan(target, std::move(replicas)).make();
}

bool is_rolled_out(RolloutTarget const& target, std::vector<Replica> const& replicas) {
  return replicas.size() == target.replicas &&
         std::all_of(replicas.begin(), replicas.end(), [&](Replica const& r) {
           return is_counted_upon(r) && r.template_number == target.template_number;
         });
}

Trial after_failure(Trial trial, bool proven, WallMs now, std::string const& why) {
  auto const shift = std::min<std::uint32_t>(trial.failures, 16);
  ++trial.failures;
  trial.not_before_ms = now + std::min(trial_backoff_first_ms << shift, trial_backoff_max_ms);
  if (!proven && trial.failures >= trial_failures_max)
    trial.stalled = fmt::format("{} replicas have failed one after another, the last one: {}",
                                trial.failures, why);
  return trial;
}

}  // namespace lepton::deployer
