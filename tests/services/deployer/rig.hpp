#pragma once
// A deployer on the hand-driven surrounding, with nodes whose syncs the test writes and a vault
// that the test plays.

#include "schemas/vault.hpp"
#include "services/deployer/deployer.hpp"
#include "tests/services/deployer/ask.hpp"

namespace lepton::deployer::testing {

using test::As;
using test::outcome;

inline NodeCapacity capacity(std::int64_t gpus = 2) {
  NodeCapacity c{8'000, 16'384, 100'000, {}, 20'000, 100};
  for (std::int64_t i = 0; i < gpus; ++i)
    c.gpus.push_back({"GPU-" + std::to_string(i), "H100", 81'920});
  return c;
}

inline JobSpec spec(std::string name = "train", std::uint32_t gpus = 1) {
  JobSpec s;
  s.name = std::move(name);
  s.command = {"work"};
  s.resources.gpus = gpus;
  s.lease_ms = 10'000;
  s.stop_grace_ms = 1'000;
  return s;
}

// One machine's daemon as the test writes it.
struct FakeNode {
  explicit FakeNode(std::string n) : name(std::move(n)) {}
  std::string name;
  std::string boot = "boot-1";
  std::string incarnation = "life-1";
  std::uint64_t number = 0;
  PoolId pool{"default"};
  NodeCapacity offer = capacity();
  std::map<AttemptId, AttemptReport> reports;
  std::vector<LogPart> logs;
  std::map<std::string, std::string> labels{{"detail", "rack 7"}};

  void says(AttemptId const& attempt, AttemptState state, int exit_code = 0) {
    reports[attempt] = {attempt, state, is_final(state), exit_code, 0, ""};
  }
  NodeSync next(std::int64_t wait_ms) {
    NodeSync m{NodeId{name}, boot, incarnation, ++number, pool, offer, labels};
    for (auto const& [id, report] : reports) m.reports.push_back(report);
    m.logs = std::exchange(logs, {});
    m.wait_ms = wait_ms;
    return m;
  }
};

class DeployerTest : public test::ServiceHarness {
 protected:
  Settings deployer_settings;
  As const root{.name = "root", .policies = {"admin"}};
  As const ann{.name = "ann", .policies = {"user"}, .token = "token-of-ann"};
  As const bob{.name = "bob", .policies = {"user"}};
  FakeNode n1{"n1"}, n2{"n2"};

  DeployerTest() {
    settings.streams = {"audit"};
    rule_gate.rule = [](actor::Caller const& caller, Verb verb, std::string_view path) -> Status {
      auto const own = path.starts_with("job/" + caller.name + "/") ||
                       path == "job/" + caller.name || path == "node/" + caller.name;
      auto const looks = verb == Verb::read || verb == Verb::list;
      auto const shown = looks && (path.starts_with("pool/") || path.starts_with("node"));
      if (caller.name == "root" || own || shown) return ok();
      return Error{Code::denied, "no policy allows it"};
    };
  }
  void boot() {
    boot_service("deployer", [this] { return std::make_unique<Deployer>(deployer_settings); });
  }
  void SetUp() override { boot(); }
  void TearDown() override {
    if (system) {
      actor().cluster().check_invariants();
      EXPECT_EQ(system->host("deployer").stats().restarts, 0);
    }
    ServiceHarness::TearDown();
  }
  Deployer const& actor() {
    return dynamic_cast<Deployer const&>(*system->host("deployer").actor());
  }

  Result<NodeOrders> sync(FakeNode& node, std::int64_t wait_ms = 0) {
    return ask(node.next(wait_ms), {.name = node.name});
  }
  // A sync that may be parked; its id.
  std::string park(FakeNode& node, std::int64_t wait_ms = 1'000) {
    return post_as(node.next(wait_ms), {.name = node.name});
  }
  NodeOrders orders(FakeNode& node) {
    auto const got = sync(node);
    EXPECT_TRUE(got) << got.error().what;
    return got ? *got : NodeOrders{};
  }
  // Syncs every second, as a node does.
  void keep(std::vector<FakeNode*> nodes, TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += 1'000) {
      for (auto* node : nodes) orders(*node);
      advance(1'000);
    }
  }
  Result<JobAccepted> submit(std::string id, JobSpec const& s, As const& who) {
    return ask(JobSubmit{JobId{std::move(id)}, s}, who);
  }
  Result<JobAccepted> submit(std::string id, JobSpec const& s = spec()) {
    return submit(std::move(id), s, ann);
  }
  JobView view(std::string const& id) {
    auto const found = ask(JobShow{JobId{id}}, root);
    EXPECT_TRUE(found) << found.error().what;
    return found ? *found : JobView{};
  }
  std::string state(std::string const& id) { return std::string(schema::name_of(view(id).state)); }
  std::string node_state(std::string const& name) {
    auto const page = ask(NodeList{}, root);
    for (auto const& node : page->nodes)
      if (node.node.value == name) return std::string(schema::name_of(node.state));
    return "gone";
  }
  // The node takes its start and runs it.
  AttemptId run_on(FakeNode& node) {
    auto const got = orders(node);
    EXPECT_EQ(got.starts.size(), 1u);
    if (got.starts.empty()) return {};
    auto const attempt = got.starts[0].attempt;
    node.says(attempt, AttemptState::running);
    orders(node);
    return attempt;
  }
  void end_on(FakeNode& node, AttemptId const& attempt, int exit_code = 0) {
    node.says(attempt, AttemptState::exited, exit_code);
    auto const got = orders(node);
    EXPECT_EQ(got.acknowledged, std::vector<AttemptId>{attempt});
    node.reports.erase(attempt);
  }
  std::int64_t gpu_milli_free() { return actor().cluster().totals().gpu_milli_free; }
};

inline bool stops(NodeOrders const& orders, AttemptId const& attempt) {
  for (auto const& stop : orders.stops)
    if (stop.attempt == attempt) return true;
  return false;
}

}  // namespace lepton::deployer::testing
