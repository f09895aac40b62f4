// Days of churn on one pool: three owners, two of them with quotas, priorities, time limits, gangs
// and bursts. What each owner is owed comes quickly, and no wait is longer than the bound that
// docs/placement.md states. Thirty days; $LEPTON_FAIRNESS_DAYS and $LEPTON_FAIRNESS_SEED say
// otherwise.

#include <cstdlib>

#include "common/base/random.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs minute = 60'000, hour = 60 * minute, day = 24 * hour;
constexpr TimeMs step = 10 * minute, tick = 2 * minute;
constexpr TimeMs longest_run = 130 * minute;
constexpr TimeMs longest_limit = 2 * longest_run;
// From the instant at which one is first in line: work that borrows its places ends by a limit.
constexpr TimeMs drain_bound = longest_limit + 2 * tick;
constexpr TimeMs owed_bound = 150 * minute;  // as long as borrowed work that may not be stopped
constexpr TimeMs end_bound = 3 * day;        // for all that is there, once nothing new comes

std::int64_t option(char const* name, std::int64_t usual) {
  auto const* text = std::getenv(name);
  return text == nullptr ? usual : std::atoll(text);
}

class FairnessTest : public DeployerTest {
 protected:
  PoolId const pool{"sim"};
  As const cid{.name = "cid", .policies = {"user"}};
  Chance draw{static_cast<std::uint64_t>(option("LEPTON_FAIRNESS_SEED", 7))};
  std::uint32_t submitted = 0;
  std::map<std::pair<JobId, WallMs>, TimeMs> bounds;  // of waits that outlast the patience
  TimeMs longest = 0;
  TimeMs owed_waits = 0;  // the longest that an owner had work and not what it is owed
  double used = 0, looks = 0;
  std::map<std::string, TimeMs> short_since;
  std::map<std::string, std::int64_t> const owed{{"ann", 16'000}, {"bob", 8'000}};

  void begin(TimeMs patience_ms) {
    deployer_settings.tick_ms = tick;
    deployer_settings.finished_kept_max = 200;
    deployer_settings.patience_ms = patience_ms;
    boot();
    NodeDeclare m{pool, {}};
    for (int i = 0; i < 8; ++i) {
      auto c = capacity(4);
      c.cpu_milli = 64'000;
      c.memory_mib = 262'144;
      m.nodes.push_back({NodeId{"s" + std::to_string(i)}, c});
    }
    ASSERT_TRUE(ask(m, root));
    for (auto const& [owner, milli] : owed)
      ASSERT_TRUE(ask(QuotaPut{pool, owner, milli, 0, 0, 1}, root));
  }
  void SetUp() override {}

  JobSpec any_job() {
    auto s = spec("work", static_cast<std::uint32_t>(1 + draw.below(2)));
    s.pool = pool;
    s.stop_grace_ms = 1'000;
    if (draw.happens(0.1)) s.nodes = static_cast<std::uint32_t>(2 + draw.below(3));
    if (draw.happens(0.3)) s.priority = draw.happens(0.5) ? 90 : 10;
    if (draw.happens(0.1)) s.preemptible = false;
    auto const runs = static_cast<TimeMs>(10 + draw.below(120)) * minute;
    if (draw.happens(0.7)) s.max_duration_ms = 2 * runs;
    s.env["LEPTON_SIMULATED_MS"] = std::to_string(runs);
    return s;
  }
  void burst(As const& who, std::uint64_t jobs) {
    for (std::uint64_t i = 0; i < jobs; ++i)
      ASSERT_TRUE(submit("job-" + std::to_string(submitted++), any_job(), who));
  }
  // Each owner in bursts: about nine tenths of the pool in the mean, far more at times.
  void some_work() {
    if (draw.happens(0.055)) burst(ann, 6 + draw.below(20));
    if (draw.happens(0.04)) burst(bob, 4 + draw.below(16));
    if (draw.happens(0.08)) burst(cid, 4 + draw.below(12));
  }

  // The bound counts those who have waited for longer when the patience is over.
  void note_waits() {
    auto const wall = clock.wall_ms();
    std::vector<WallMs> since;
    for (auto const& [id, job] : actor().jobs())
      if (job.run.state == JobState::queued) since.push_back(job.waits_since_ms());
    std::sort(since.begin(), since.end());
    for (auto const& [id, job] : actor().jobs()) {
      if (job.run.state != JobState::queued) continue;
      auto const mine = job.waits_since_ms();
      longest = std::max(longest, wall - mine);
      if (wall - mine < deployer_settings.patience_ms) continue;
      auto const older = std::upper_bound(since.begin(), since.end(), mine) - since.begin() - 1;
      auto const bound = bounds.try_emplace(
          {id, mine}, deployer_settings.patience_ms + step + (older + 1) * drain_bound);
      if (wall - mine > bound.first->second)
        ADD_FAILURE() << id.value << " of " << job.row.owner << " waits for longer than "
                      << bound.first->second / minute << " min";
    }
  }
  void note_owed(TimeMs now) {
    std::map<std::string, std::int64_t> waiting;
    for (auto const& [id, job] : actor().jobs())
      if (job.run.state == JobState::queued)
        waiting[job.row.owner] += 1'000 * job.spec().resources.gpus * job.spec().nodes;
    for (auto const& [owner, milli] : owed) {
      auto const has = actor().ledger().used(pool, owner).gpu_milli;
      // The smallest gap that every job of this test fits into.
      if (waiting[owner] == 0 || has + 8'000 > milli) {
        short_since.erase(owner);
        continue;
      }
      auto const since = short_since.try_emplace(owner, now).first->second;
      owed_waits = std::max(owed_waits, now - since);
    }
  }
  void note_use() {
    std::int64_t runs = 0;
    for (auto const& [id, job] : actor().jobs())
      if (job.run.state == JobState::running)
        runs += 1'000 * job.spec().resources.gpus * job.spec().nodes;
    used += static_cast<double>(runs) / 32'000;
    ++looks;
  }
  std::int64_t unfinished() {
    auto const counters = actor().counters();
    return counters.at("jobs_queued") + counters.at("jobs_live") + counters.at("jobs_preempting") +
           counters.at("jobs_first_in_line");
  }
  void churn(TimeMs length) {
    TimeMs now = 0;
    auto const pass = [&] {
      advance(step);
      now += step;
      note_waits();
      note_owed(now);
    };
    while (now < length) {
      some_work();
      pass();
      note_use();
    }
    while (unfinished() > 0 && now < length + end_bound) pass();
    EXPECT_EQ(unfinished(), 0) << "after " << (now - length) / hour << " h without new work";
    EXPECT_LE(owed_waits, owed_bound) << "in minutes: " << owed_waits / minute;
    std::printf(
        "%u jobs, longest wait %.1f h, %zu beyond the patience, %lld min short of what is "
        "owed, %.1f %% of the GPUs in use\n",
        submitted, static_cast<double>(longest) / hour, bounds.size(),
        static_cast<long long>(owed_waits / minute), 100 * used / looks);
  }
};

TEST_F(FairnessTest, ThirtyDaysWithoutStarvation) {
  begin(day);
  churn(option("LEPTON_FAIRNESS_DAYS", 30) * day);
  EXPECT_GT(bounds.size(), 0u) << "somebody had to be patient";
  EXPECT_LE(longest, day + 2 * drain_bound) << "with little work that is older";
  EXPECT_GT(audited("deployer.job.preempted").size(), 0u) << "something was taken back";
}

TEST_F(FairnessTest, ALittlePatienceBoundsAllWaitsToo) {
  begin(2 * hour);
  churn(3 * day);
  EXPECT_GT(bounds.size(), 20u);
}

}  // namespace
}  // namespace lepton::deployer::testing
