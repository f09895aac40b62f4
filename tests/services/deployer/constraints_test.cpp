// Labels, taints and regions through the actor: who may set them, that they outlive restarts of
// both sides, and that only new work reads them.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class ConstraintsTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
    orders(n2);
  }
  NodeMark mark(std::string node) { return {NodeId{std::move(node)}, {}, {}, {}, {}}; }
  std::string label(std::string node, std::string key, std::string value) {
    auto m = mark(std::move(node));
    m.labels[key] = value;
    return outcome(ask(m, root));
  }
  std::string taint(std::string node, Taint t) {
    auto m = mark(std::move(node));
    m.taints = {std::move(t)};
    return outcome(ask(m, root));
  }
  JobSpec requiring(std::string key, std::vector<std::string> values) {
    auto s = spec();
    s.resources.where.requirements = {{std::move(key), std::move(values), false}};
    return s;
  }
  std::string where(std::string const& id, JobSpec const& s) {
    auto const got = submit(id, s, ann);
    if (!got) return got.error().what;
    return got->nodes.empty() ? got->why : got->nodes[0].value;
  }
};

TEST_F(ConstraintsTest, ALabelThatAPersonSetsDecidesAndOutlivesRestarts) {
  EXPECT_EQ(where("job-1", requiring("rack", {"r2"})),
            "the job can never start here: no node of pool 'default' passes rack=r2");
  EXPECT_EQ(label("n2", "rack", "r2"), "ok");
  EXPECT_EQ(where("job-2", requiring("rack", {"r1", "r2"})), "n2");
  boot();
  orders(n1);
  orders(n2);
  EXPECT_EQ(where("job-3", requiring("rack", {"r2"})), "n2") << "its own sync took nothing away";
  auto const page = ask(NodeList{}, root);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->nodes[1].labels.at("rack"), "r2");
  EXPECT_EQ(page->nodes[1].labels.at("detail"), "rack 7") << "what it says of itself";
}

TEST_F(ConstraintsTest, WhatANodeSaysComesBackWhenALabelIsTakenAway) {
  EXPECT_EQ(label("n1", "detail", "mine"), "ok");
  auto m = mark("n1");
  m.labels_removed = {"detail"};
  auto const marked = ask(m, root);
  ASSERT_TRUE(marked);
  EXPECT_EQ(marked->labels.at("detail"), "rack 7");
}

TEST_F(ConstraintsTest, ATaintKeepsNewWorkAwayAndStopsNothing) {
  ASSERT_TRUE(submit("job-1"));
  auto const first = orders(n1).starts.empty() ? "n2" : "n1";
  EXPECT_EQ(taint("n1", {"maintenance", "planned", false}), "ok");
  EXPECT_EQ(taint("n2", {"batch", "", true}), "ok");
  EXPECT_EQ(where("job-2", spec()), "n2") << "a soft taint is the last resort";
  auto tolerant = spec();
  tolerant.resources.where.tolerations = {{"maintenance", {"planned"}, false}};
  EXPECT_EQ(where("job-3", tolerant), "n1");
  tolerant.resources.where.tolerations = {{"maintenance", {"now"}, false}};
  EXPECT_EQ(where("job-4", tolerant), first == std::string("n1") ? "n2" : where("job-5", spec()));
  EXPECT_EQ(state("job-1"), "starting");
  auto m = mark("n1");
  m.taints_removed = {"maintenance"};
  ASSERT_TRUE(ask(m, root));
  EXPECT_TRUE(ask(NodeList{}, root)->nodes[0].taints.empty());
}

TEST_F(ConstraintsTest, WaitingWorkStartsWhenATaintGoes) {
  EXPECT_EQ(taint("n1", {"gone", "", false}), "ok");
  EXPECT_EQ(taint("n2", {"gone", "", false}), "ok");
  auto const got = submit("job-1", spec(), ann);
  EXPECT_EQ(outcome(got), "invalid") << "no node is without it";
  auto m = mark("n2");
  m.taints_removed = {"gone"};
  ASSERT_TRUE(ask(m, root));
  ASSERT_TRUE(submit("job-2", spec("wide", 2)));
  ASSERT_TRUE(submit("job-3", spec("wide", 2)));
  EXPECT_EQ(state("job-3"), "queued");
  m.node = NodeId{"n1"};
  ASSERT_TRUE(ask(m, root));
  EXPECT_EQ(state("job-3"), "starting");
}

TEST_F(ConstraintsTest, OnlyWhoManagesTheNodeMarksIt) {
  auto m = mark("n1");
  m.labels["rack"] = "r1";
  EXPECT_EQ(outcome(ask(m, bob)), "denied");
  m.node = NodeId{"n9"};
  EXPECT_EQ(outcome(ask(m, root)), "not_found");
  EXPECT_EQ(label("n1", "rack!", "r1"), "invalid");
  EXPECT_EQ(label("n1", "rack", "r 1"), "invalid");
  EXPECT_EQ(taint("n1", {"", "", false}), "invalid");
  for (int i = 0; i < 64; ++i) EXPECT_EQ(label("n1", "k" + std::to_string(i), ""), "ok");
  EXPECT_EQ(label("n1", "one-more", ""), "exhausted");
  EXPECT_EQ(audited("deployer.node.mark").size(), 65u) << "the changes and the denial";
}

TEST_F(ConstraintsTest, APackedGangLiesInOneRack) {
  EXPECT_EQ(label("n1", "rack", "a"), "ok");
  EXPECT_EQ(label("n2", "rack", "b"), "ok");
  auto s = spec();
  s.nodes = 2;
  s.resources.where.topology = TopologyMode::pack;
  s.resources.where.topology_label = "rack";
  auto const packed = submit("job-1", s, ann);
  ASSERT_TRUE(packed);
  ASSERT_EQ(packed->nodes.size(), 2u);
  EXPECT_EQ(packed->nodes[0], packed->nodes[1]);
  s.nodes = 3;
  EXPECT_EQ(where("job-2", s)
                .find("the job can never start here: the gang is larger than every "
                      "rack of pool 'default'"),
            0u);
  s.nodes = 1;
  EXPECT_EQ(where("job-3", s), "topology: is of gangs; with nodes: 1 there is nothing to lay out");
}

}  // namespace
}  // namespace lepton::deployer::testing
