#include "bench/placement/migrating.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "services/deployer/core/migration.hpp"

namespace lepton::bench {

namespace {

using namespace deployer;

constexpr TimeMs hour_ms = 3'600'000;
constexpr TimeMs checkpoint_ms = hour_ms;
constexpr WallMs start_ms = hour_ms;  // 0 means that work has not begun
constexpr TimeMs round_ms = hour_ms / 2;
constexpr int most_rounds_after = 2 * 2'000, idle_rounds = 4;  // two hours without a move
PoolId const pool{"default"};

class Migrating {
 public:
  Migrating(Run& run, Mix const& mix, std::uint64_t moves_per_hour)
      : run_(run),
        outlook_(mix, run.cluster().models()),
        budget_({moves_per_hour, static_cast<double>(moves_per_hour * hour_ms)}),
        capacity_(static_cast<double>(run.cluster().totals().gpu_milli)) {}

  void arrive(ResourceRequest const& pod, WallMs now_ms) {
    if (!start(pod, now_ms)) waiting_.push_back(pod);
  }

  // How many tasks were moved.
  std::size_t round(WallMs now_ms) {
    if (waiting_.empty()) return 0;
    MigrationRequest request{pool, work_, now_ms, budget_.left(now_ms)};
    request.ranked_models = false;
    if (request.limits.moves == 0) return 0;
    auto const plan = plan_migration(run_.cluster(), outlook_, request);
    for (auto const& m : plan) make(m, now_ms);
    if (!plan.empty())
      std::erase_if(waiting_, [&](ResourceRequest const& pod) { return start(pod, now_ms); });
    return plan.size();
  }

  double unallocated_percent() const { return 100 * (1 - allocated_ / capacity_); }
  double moves() const { return moves_; }
  double lost_gpu_hours() const { return lost_gpu_hours_; }

 private:
  bool start(ResourceRequest const& pod, WallMs now_ms) {
    auto found = run_.placer().find(pod, pool);
    if (!found) return false;
    Mobile m;
    m.request = pod;
    m.work.job = {fmt::format("p{}", work_.size())};
    m.work.started_at_ms = now_ms;
    m.work.checkpoint_interval_ms = checkpoint_ms;
    m.work.held = *found;
    m.attempts = {{m.work.job.value + ".0"}};
    hold(m);
    index_[m.work.job] = work_.size();
    work_.push_back(std::move(m));
    allocated_ += static_cast<double>(gpu_milli(pod));
    return true;
  }

  void hold(Mobile const& m) {
    auto const held = run_.cluster().reserve(m.attempts.front(), m.work.held.front());
    LEPTON_CHECK(held.has_value(), "a placement does not fit");
  }

  // The new place is taken before the old one is released.
  void make(Migration const& plan, WallMs now_ms) {
    auto& m = work_[index_.at(plan.job)];
    auto const old = m.attempts.front();
    m.attempts = {{fmt::format("{}.{}", m.work.job.value, ++rounds_)}};
    m.work.held = plan.to;
    m.work.started_at_ms = now_ms;
    hold(m);
    LEPTON_CHECK(run_.cluster().release(old), "what was moved held nothing");
    budget_.spend(now_ms, {plan.to.size(), plan.lost_gpu_ms});
    moves_ += static_cast<double>(plan.to.size());
    lost_gpu_hours_ += plan.lost_gpu_ms / hour_ms;
  }

  Run& run_;
  Outlook outlook_;
  MigrationBudget budget_;
  double capacity_, allocated_ = 0, moves_ = 0, lost_gpu_hours_ = 0;
  std::uint64_t rounds_ = 0;
  std::vector<Mobile> work_;
  std::map<JobId, std::size_t> index_;
  std::vector<ResourceRequest> waiting_;  // in the order of their arrival
};

}  // namespace

Migrated replay_migrating(Run& run, std::vector<ResourceRequest> const& pods, Mix const& mix,
                          double arrivals_per_hour, std::uint64_t moves_per_hour) {
  Migrating state(run, mix, moves_per_hour);
  auto const capacity = run.cluster().totals().gpu_milli;
  std::int64_t arrived = 0;
  WallMs now_ms = start_ms, next_round_ms = start_ms;
  double count = 0;
  for (auto const& pod : pods) {
    if (arrived >= capacity) break;
    now_ms = start_ms + std::llround(++count / arrivals_per_hour * hour_ms);
    for (; next_round_ms <= now_ms; next_round_ms += round_ms) state.round(next_round_ms);
    state.arrive(pod, now_ms);
    arrived += gpu_milli(pod);
  }
  Migrated out;
  out.arrived_percent = state.unallocated_percent();
  out.moves_by_arrival = state.moves();
  out.hours = count / arrivals_per_hour;
  int rounds = 0;
  for (int idle = 0; moves_per_hour > 0 && rounds < most_rounds_after && idle < idle_rounds;
       ++rounds) {
    idle = state.round(next_round_ms) > 0 ? 0 : idle + 1;
    next_round_ms += round_ms;
  }
  out.hours_after = static_cast<double>(std::max(0, rounds - idle_rounds)) * round_ms / hour_ms;
  out.end_percent = state.unallocated_percent();
  out.moves = state.moves();
  out.lost_gpu_hours = state.lost_gpu_hours();
  return out;
}

}  // namespace lepton::bench
