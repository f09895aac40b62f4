// Elastic jobs: when workers join, and as what.

#include "services/deployer/core/elastic.hpp"

#include <gtest/gtest.h>

#include "common/base/text.hpp"

namespace lepton::deployer {
namespace {

JobSpec elastic(std::uint32_t nodes, std::uint32_t most) {
  JobSpec spec;
  spec.name = "train";
  spec.nodes = nodes;
  spec.nodes_max = most;
  return spec;
}

TEST(Elastic, BadOnesAreRefused) {
  JobId const job{"job-1"};
  EXPECT_TRUE(check_elastic(job, elastic(2, 0)));
  EXPECT_TRUE(check_elastic(job, elastic(2, 2)));
  EXPECT_FALSE(check_elastic(job, elastic(3, 2)));
  EXPECT_FALSE(check_elastic(job, elastic(1, 1025)));
  auto array = elastic(1, 2);
  array.array = 3;
  EXPECT_FALSE(check_elastic(job, array));
  EXPECT_FALSE(check_elastic(JobId{std::string(48, 'a')}, elastic(1, 2)));
}

TEST(Elastic, WhoIsCalledAsAWorkerIsRefused) {
  for (auto const* id : {"x-w0-r1", "job-1-w12-r345"}) {
    EXPECT_TRUE(is_worker_id(JobId{id})) << id;
    EXPECT_FALSE(check_elastic(JobId{id}, elastic(1, 0))) << id;
  }
  for (auto const* id : {"x", "x-w0", "x-r1", "w0-r1", "x-w-r1", "x-w0-r", "x-w0-r1a", "x-wa-r1"})
    EXPECT_FALSE(is_worker_id(JobId{id})) << id;
}

TEST(Elastic, WorkersJoinOnlyWhileAllOfItsTasksRun) {
  JobRun run;
  run.state = JobState::running;
  run.members.resize(2);
  auto const takes = [&](AttemptState first, AttemptState second) {
    run.members[0].state = first;
    run.members[1].state = second;
    return takes_workers(elastic(2, 4), run);
  };
  EXPECT_TRUE(takes(AttemptState::running, AttemptState::running));
  EXPECT_FALSE(takes(AttemptState::running, AttemptState::starting));
  EXPECT_FALSE(takes(AttemptState::exited, AttemptState::running)) << "it is coming to its end";
  run.state = JobState::stopping;
  EXPECT_FALSE(takes(AttemptState::running, AttemptState::running));
  run.state = JobState::running;
  EXPECT_FALSE(takes_workers(elastic(2, 2), run));
  EXPECT_FALSE(takes_workers(elastic(2, 0), run));
}

TEST(Elastic, AWorkerIsOneTaskThatGivesWayFirst) {
  auto spec = elastic(2, 4);
  spec.name = std::string(63, 'n');
  spec.priority = 5;
  spec.preemptible = false;
  spec.no_fit = NoFit::refuse;
  spec.after = {{"prep", AfterEnd::ok}};
  spec.retry.on_interruption = false;
  auto const worker = worker_spec(spec);
  EXPECT_EQ(worker.nodes, 1u);
  EXPECT_EQ(worker.nodes_max, 4u) << "its node tells it how many there may be";
  EXPECT_EQ(worker.priority, 0);
  EXPECT_TRUE(worker.preemptible && worker.retry.on_interruption && worker.after.empty());
  EXPECT_EQ(worker.no_fit, NoFit::wait);
  EXPECT_TRUE(text::is_dns_label(worker.name)) << worker.name;
  EXPECT_EQ(worker_id(JobId{"job-1"}, 3, 2).value, "job-1-w3-r2");
  EXPECT_TRUE(text::is_dns_label(worker_id(JobId{std::string(47, 'a')}, 1'023, 99'999).value));
}

}  // namespace
}  // namespace lepton::deployer
