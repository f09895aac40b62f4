#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {

NodeCapacity capacity(std::int64_t gpus) {
  NodeCapacity c{8'000, 16'384, 100'000, {}, 20'000, 100};
  for (std::int64_t i = 0; i < gpus; ++i)
    c.gpus.push_back({"GPU-" + std::to_string(i), "H100", 81'920});
  return c;
}

JobSpec spec(std::string name, std::uint32_t gpus) {
  JobSpec s;
  s.name = std::move(name);
  s.command = {"work"};
  s.resources.gpus = gpus;
  s.lease_ms = 10'000;
  s.stop_grace_ms = 1'000;
  return s;
}

NodeDeclare simulated_nodes(int count, std::int64_t gpus) {
  NodeDeclare m{PoolId{"sim"}, {}};
  for (int i = 1; i <= count; ++i)
    m.nodes.push_back({NodeId{"s" + std::to_string(i)}, capacity(gpus)});
  return m;
}

JobSpec simulated(TimeMs runs_ms, std::uint32_t gpus) {
  auto s = spec("work", gpus);
  s.pool = PoolId{"sim"};
  s.env["LEPTON_SIMULATED_MS"] = std::to_string(runs_ms);
  return s;
}

FakeNode::FakeNode(std::string n)
    : name(std::move(n)), offer(capacity()), labels{{"detail", "rack 7"}} {}

FakeNode::~FakeNode() = default;

void FakeNode::says(AttemptId const& attempt, AttemptState state, int exit_code) {
  reports[attempt] = {attempt, state, is_final(state), exit_code, 0, ""};
}

NodeSync FakeNode::next(std::int64_t wait_ms) {
  NodeSync m{NodeId{name}, boot, incarnation, ++number, pool, offer, labels};
  for (auto const& [id, report] : reports) m.reports.push_back(report);
  m.logs = std::exchange(logs, {});
  m.wait_ms = wait_ms;
  return m;
}

DeployerTest::DeployerTest() {
  settings.streams = {"audit"};
  rule_gate.rule = [](actor::Caller const& caller, Verb verb, std::string_view path) -> Status {
    auto const own = path.starts_with("job/" + caller.name + "/") || path == "job/" + caller.name ||
                     path == "node/" + caller.name;
    auto const looks = verb == Verb::read || verb == Verb::list;
    auto const shown = looks && (path.starts_with("pool/") || path.starts_with("node"));
    if (caller.name == "root" || own || shown) return ok();
    return Error{Code::denied, "no policy allows it"};
  };
}

DeployerTest::~DeployerTest() = default;

void DeployerTest::boot() {
  boot_service("deployer", [this] { return std::make_unique<Deployer>(deployer_settings); });
}

void DeployerTest::TearDown() {
  if (system) {
    actor().cluster().check_invariants();
    EXPECT_EQ(system->host("deployer").stats().restarts, 0);
  }
  ServiceHarness::TearDown();
}

Deployer const& DeployerTest::actor() {
  return dynamic_cast<Deployer const&>(*system->host("deployer").actor());
}

Result<NodeOrders> DeployerTest::sync(FakeNode& node, std::int64_t wait_ms) {
  return ask(node.next(wait_ms), {.name = node.name});
}

std::string DeployerTest::park(FakeNode& node, std::int64_t wait_ms) {
  return post_as(node.next(wait_ms), {.name = node.name});
}

NodeOrders DeployerTest::orders(FakeNode& node) {
  auto const got = sync(node);
  EXPECT_TRUE(got) << got.error().what;
  return got ? *got : NodeOrders{};
}

void DeployerTest::keep(std::vector<FakeNode*> nodes, TimeMs ms) {
  for (TimeMs passed = 0; passed < ms; passed += 1'000) {
    for (auto* node : nodes) orders(*node);
    advance(1'000);
  }
}

Result<JobAccepted> DeployerTest::submit(std::string id, JobSpec const& s, As const& who) {
  return ask(JobSubmit{JobId{std::move(id)}, s}, who);
}

Result<JobAccepted> DeployerTest::submit(std::string id, JobSpec const& s) {
  return submit(std::move(id), s, ann);
}

JobView DeployerTest::view(std::string const& id) {
  auto const found = ask(JobShow{JobId{id}}, root);
  EXPECT_TRUE(found) << found.error().what;
  return found ? *found : JobView{};
}

std::string DeployerTest::node_state(std::string const& name) {
  auto const page = ask(NodeList{}, root);
  for (auto const& node : page->nodes)
    if (node.node.value == name) return std::string(schema::name_of(node.state));
  return "gone";
}

AttemptId DeployerTest::run_on(FakeNode& node) {
  auto const got = orders(node);
  EXPECT_EQ(got.starts.size(), 1u);
  if (got.starts.empty()) return {};
  auto const attempt = got.starts[0].attempt;
  node.says(attempt, AttemptState::running);
  orders(node);
  return attempt;
}

void DeployerTest::end_on(FakeNode& node, AttemptId const& attempt, int exit_code) {
  node.says(attempt, AttemptState::exited, exit_code);
  auto const got = orders(node);
  EXPECT_EQ(got.acknowledged, std::vector<AttemptId>{attempt});
  node.reports.erase(attempt);
}

bool stops(NodeOrders const& orders, AttemptId const& attempt) {
  for (auto const& stop : orders.stops)
    if (stop.attempt == attempt) return true;
  return false;
}

}  // namespace lepton::deployer::testing
