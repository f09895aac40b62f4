// The deployer ends and comes back at any stage of a job: claims stay, nothing starts twice.

#include "common/sim/world.hpp"
#include "services/node/node.hpp"
#include "tests/services/deployer/rig.hpp"
#include "tests/services/node/counting_runner.hpp"

namespace lepton::deployer::testing {
namespace {

class RestartTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
};

TEST_F(RestartTest, AQueuedJobKeepsItsTurn) {
  ASSERT_TRUE(submit("job-1", spec("a", 2)));
  ASSERT_TRUE(submit("job-2", spec("b", 2)));
  ASSERT_TRUE(submit("job-3", spec("c", 2)));
  boot();
  EXPECT_EQ(state("job-2"), "queued");
  end_on(n1, run_on(n1));
  EXPECT_EQ(run_on(n1).value, "job-2-0-1");
}

TEST_F(RestartTest, AClaimIsStartedAgainUnderTheSameName) {
  ASSERT_TRUE(submit("job-1"));
  boot();
  EXPECT_EQ(state("job-1"), "starting");
  EXPECT_EQ(gpu_milli_free(), 1'000);
  EXPECT_EQ(run_on(n1).value, "job-1-0-1");
}

TEST_F(RestartTest, AnAttemptThatTheNodeHasTakenIsNotStartedAgain) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = orders(n1).starts.at(0).attempt;
  n1.says(attempt, AttemptState::starting);
  boot();
  EXPECT_TRUE(orders(n1).starts.empty());
  n1.says(attempt, AttemptState::running);
  orders(n1);
  boot();
  auto const after = orders(n1);
  EXPECT_TRUE(after.starts.empty());
  EXPECT_EQ(after.leases.size(), 1u);
  EXPECT_EQ(state("job-1"), "running");
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
}

TEST_F(RestartTest, AReportIsAcknowledgedAgainWhenTheAnswerWasLost) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  n1.says(attempt, AttemptState::exited);
  store.hold_commits = true;
  auto const id = park(n1, 0);
  EXPECT_TRUE(answers(id).empty()) << "not before it is durable";
  boot();
  store.hold_commits = false;
  settle();
  EXPECT_EQ(orders(n1).acknowledged, std::vector<AttemptId>{attempt});
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_EQ(audited("deployer.job.succeeded").size(), 1u);
}

TEST_F(RestartTest, AStopIsToldAgain) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  ASSERT_TRUE(ask(JobCancel{JobId{"job-1"}, ""}, ann));
  boot();
  EXPECT_TRUE(stops(orders(n1), attempt));
  end_on(n1, attempt, 143);
  EXPECT_EQ(state("job-1"), "cancelled");
}

TEST_F(RestartTest, AfterARestartSilenceIsCountedFromIt) {
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  boot();
  orders(n2);
  keep({&n2}, 12'000);
  EXPECT_EQ(view("job-1").round, 1u) << "lease, grace and margins take 13.1 s";
  keep({&n2}, 6'000);
  EXPECT_EQ(view("job-1").round, 2u);
}

TEST_F(RestartTest, ARetryWaitsForItsInstant) {
  auto s = spec();
  s.retry = {1, true, true, {}, 10'000};
  ASSERT_TRUE(submit("job-1", s));
  end_on(n1, run_on(n1), 1);
  boot();
  keep({&n1}, 3'000);
  EXPECT_EQ(state("job-1"), "queued");
  keep({&n1}, 20'000);
  EXPECT_EQ(state("job-1"), "starting");
  EXPECT_EQ(view("job-1").round, 2u);
}

// The same with a real node, whose deployer is killed once at any instant of the job's life.

struct Pair {
  explicit Pair(std::uint64_t seed) : world(seed, sim::Faults::none()) {
    world.add_process("deployer", [](sim::Machine& m) {
      auto system =
          std::make_unique<actor::System>(actor::SystemSettings{.service = "deployer"}, m.ports());
      system->add("deployer", [] { return std::make_unique<Deployer>(); }, {});
      system->start();
      return sim::Built(std::move(system));
    });
    sim::ProcessOptions options;
    options.door = actor::Door::client;
    world.add_process(
        "n1", [this](sim::Machine& m) { return make_node(m); }, options);
  }
  sim::Built make_node(sim::Machine& m) {
    if (!runner) runner = std::make_shared<node::testing::CountingRunner>(m);
    node::Settings settings;
    settings.node = NodeId{"n1"};
    settings.capacity = capacity();
    settings.boot_id = "boot";
    settings.incarnation = "life-" + std::to_string(m.life());
    auto system =
        std::make_unique<actor::System>(actor::SystemSettings{.service = "n1"}, m.ports());
    actor::HostSettings host;
    host.durable = false;
    host.streams.clear();
    system->add(
        "node", [settings, r = runner] { return std::make_unique<node::Node>(settings, r); }, host);
    system->start();
    return sim::Built(std::move(system));
  }
  JobState state_of(std::string const& id) {
    auto* system = world.system("deployer");
    if (system == nullptr || !system->host("deployer").is_ready()) return JobState::unknown;
    auto const& deployer = dynamic_cast<Deployer const&>(*system->host("deployer").actor());
    auto const found = deployer.jobs().find(JobId{id});
    return found == deployer.jobs().end() ? JobState::unknown : found->second.run.state;
  }
  std::shared_ptr<node::testing::CountingRunner> runner;
  sim::World world;
};

void crash_at(TimeMs when, std::string const& who) {
  Pair pair(1);
  auto& client = pair.world.add_client("ann", {"admin"});
  node::FakeTask task;
  task.duration_ms = 400;
  pair.runner->fake.script("job-1-0", task);
  pair.world.at(500, [&] { client.send("deployer", JobSubmit{JobId{"job-1"}, spec()}); });
  pair.world.at(500 + when, [&] { pair.world.crash(who); });
  ASSERT_TRUE(pair.world.run_until(
      [&] { return pair.state_of("job-1") == JobState::succeeded && client.open() == 0; }, 60'000))
      << who << " killed after " << when << " ms";
  ASSERT_EQ(pair.runner->starts.size(), 1u) << who << " killed after " << when << " ms";
  EXPECT_EQ(pair.runner->starts[0].attempt, "job-1-0-1");
}

TEST(RestartWorld, TheDeployerDiesAtAnyInstantAndTheTaskStartsOnce) {
  for (TimeMs when = 0; when <= 1'500; when += 7) crash_at(when, "deployer");
}

TEST(RestartWorld, TheNodeDiesAtAnyInstantAndTheTaskStartsOnce) {
  for (TimeMs when = 0; when <= 1'500; when += 7) crash_at(when, "n1");
}

TEST(RestartWorld, AStopWithAGraceCostsFewMessages) {
  Pair pair(2);
  auto& client = pair.world.add_client("ann", {"admin"});
  node::FakeTask task;
  task.duration_ms.reset();
  task.ends_on_term = false;
  pair.runner->fake.script("job-1-0", task);
  auto s = spec();
  s.stop_grace_ms = 60'000;
  client.send("deployer", JobSubmit{JobId{"job-1"}, s});
  ASSERT_TRUE(
      pair.world.run_until([&] { return pair.state_of("job-1") == JobState::running; }, 10'000));
  client.send("deployer", JobCancel{JobId{"job-1"}, ""});
  auto const before = pair.world.stats().delivered;
  pair.world.run_for(50'000);
  EXPECT_LT(pair.world.stats().delivered - before, 500) << "about two a second";
  EXPECT_EQ(pair.state_of("job-1"), JobState::stopping);
  ASSERT_TRUE(
      pair.world.run_until([&] { return pair.state_of("job-1") == JobState::cancelled; }, 30'000));
}

}  // namespace
}  // namespace lepton::deployer::testing
