// Probes on the node's actor: asked when ordered, told with the syncs, and a failed liveness ends
// the attempt.

#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class NodeProbesTest : public NodeTest {
 protected:
  bool good = true;
  int asked = 0;
  std::shared_ptr<FakeProber> prober = std::make_shared<FakeProber>([this](ProbeTask const& task) {
    EXPECT_EQ(task.port, 20'001u);
    return ++asked, good;
  });

  void SetUp() override {
    boot_service("node", [this] { return std::make_unique<Node>(node_settings, runner, prober); });
    rest();
  }
  NodeOrders probes(bool liveness = false) {
    NodeOrders orders;
    Probes wanted;
    Probe const probe{ProbeKind::tcp, "", {}, 1'000, 500, 1, 2};
    (liveness ? wanted.liveness : wanted.readiness) = probe;
    orders.probes.push_back({AttemptId{"job-1-0-1"}, TaskId{"job-1-0"}, 20'001, "", wanted});
    return orders;
  }
  std::string readiness() {
    auto const report = reported("job-1-0-1");
    return report ? std::string(schema::name_of(report->readiness)) : "none";
  }
  void run(NodeOrders const& with) {
    answer(start(start_order()));
    pass(500);
    answer(with);
    pass(300);
  }
  // Time passes, and the deployer answers with a lease only.
  void go_on(TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += 500) {
      pass(500);
      answer(lease("job-1-0-1"));
    }
  }
};

TEST_F(NodeProbesTest, TellsWhatTheProbesSay) {
  answer(start(start_order()));
  pass(500);
  EXPECT_EQ(readiness(), "unknown") << "it has none yet";
  answer(probes());
  pass(300);
  answer(lease("job-1-0-1"));
  EXPECT_EQ(readiness(), "yes");
  good = false;
  go_on(1'000);
  EXPECT_EQ(readiness(), "yes") << "one failure of two";
  go_on(2'000);
  EXPECT_EQ(readiness(), "no");
  good = true;
  go_on(2'000);
  EXPECT_EQ(readiness(), "yes");
}

TEST_F(NodeProbesTest, AFailedLivenessEndsTheAttemptWithItsReason) {
  run(probes(true));
  good = false;
  go_on(3'000);
  pass(500);
  auto const report = reported("job-1-0-1");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->final);
  EXPECT_NE(report->reason.find("liveness probe failed 2 times"), std::string::npos)
      << report->reason;
  auto const before = asked;
  pass(5'000);
  EXPECT_EQ(asked, before) << "nothing is asked of what has ended";
}

TEST_F(NodeProbesTest, AfterARestartItHasNoneUntilItIsToldAgain) {
  run(probes());
  SetUp();
  EXPECT_EQ(readiness(), "unknown");
  answer(probes());
  EXPECT_EQ(readiness(), "pending");
  pass(300);
  answer(lease("job-1-0-1"));
  EXPECT_EQ(readiness(), "yes");
}

TEST_F(NodeProbesTest, ProbesForWhatIsNotThereAreIgnored) {
  answer(probes());
  pass(2'000);
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace lepton::node::testing
