#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {

NodeTest::NodeTest() {
  node_settings.node = NodeId{"n1"};
  node_settings.boot_id = "boot-1";
  node_settings.incarnation = "life-1";
  node_settings.capacity = {8'000, 16'384, 0, {}, 20'000, 100};
  for (auto const* uuid : {"GPU-a", "GPU-b"})
    node_settings.capacity.gpus.push_back({uuid, "H100", 81'920});
  settings.durable = false;
  settings.streams.clear();
  script("job-1-0", {.duration_ms = std::nullopt});
}

void NodeTest::script(std::string const& task, FakeTask const& behaviour) {
  runner->fake.script(task, behaviour);
}

void NodeTest::boot() {
  boot_service("node", [this] { return std::make_unique<Node>(node_settings, runner); });
  rest();
}

void NodeTest::rest() {
  settle();
  while (!worker.done.empty()) {
    pop(worker.done);
    settle();
  }
}

void NodeTest::pass(TimeMs ms) {
  for (TimeMs passed = 0; passed < ms; passed += 50) {
    advance(std::min<TimeMs>(50, ms - passed));
    rest();
  }
}

std::vector<NodeSync> NodeTest::out() {
  std::vector<NodeSync> syncs;
  for (auto const& request : open_requests<NodeSync>())
    syncs.push_back(*codec::decode<NodeSync>(request.body));
  return syncs;
}

NodeSync NodeTest::newest() {
  auto const syncs = out();
  EXPECT_FALSE(syncs.empty()) << "the node says nothing";
  return syncs.empty() ? NodeSync{} : syncs.back();
}

void NodeTest::answer(test::RecordingWire::Message const& sync, Result<NodeOrders> const& orders) {
  reply_to<NodeSync>(sync, orders);
  rest();
}

void NodeTest::answer(Result<NodeOrders> const& orders) {
  auto const open = open_requests<NodeSync>();
  ASSERT_FALSE(open.empty());
  auto const last = open.back();
  for (auto const& sync : open)
    if (sync.header.id != last.header.id) reply_to<NodeSync>(sync, NodeOrders{});
  answer(last, orders);
}

void NodeTest::answer_all_news() {
  constexpr int rounds_max = 10;
  for (int i = 0; i < rounds_max && (out().size() != 1 || newest().wait_ms == 0); ++i)
    answer(NodeOrders{});
  EXPECT_EQ(out().size(), 1u) << "it does not come to rest";
}

std::optional<AttemptReport> NodeTest::reported(std::string const& attempt) {
  for (auto const& report : newest().reports)
    if (report.attempt.value == attempt) return report;
  return std::nullopt;
}

std::string NodeTest::reported_state(std::string const& attempt) {
  auto const report = reported(attempt);
  if (!report) return "none";
  return std::string(schema::name_of(report->state)) + (report->final ? " final" : "");
}

StartOrder NodeTest::start_order(std::string const& job, std::uint32_t round) {
  StartOrder order;
  order.attempt = AttemptId{job + "-0-" + std::to_string(round)};
  order.task = TaskId{job + "-0"};
  order.job = JobId{job};
  order.owner = "ann";
  order.spec.name = "train";
  order.spec.command = {"work"};
  order.spec.lease_ms = 10'000;
  order.allocation = {NodeId{"n1"}, 2'000, 1'024, 0, {{1, 1'000}}, {20'001}};
  return order;
}

NodeOrders NodeTest::start(StartOrder order) {
  NodeOrders orders;
  orders.starts.push_back(std::move(order));
  return orders;
}

NodeOrders NodeTest::stop(std::string const& attempt) {
  NodeOrders orders;
  orders.stops.push_back({AttemptId{attempt}, TaskId{"task"}, "not wanted"});
  return orders;
}

NodeOrders NodeTest::acknowledge(std::string const& attempt) {
  NodeOrders orders;
  orders.acknowledged.push_back(AttemptId{attempt});
  return orders;
}

NodeOrders NodeTest::lease(std::string const& attempt, TimeMs ms) {
  NodeOrders orders;
  orders.leases.push_back({AttemptId{attempt}, ms});
  return orders;
}

NodeOrders NodeTest::log(std::string const& attempt, std::uint64_t ticket) {
  NodeOrders orders;
  orders.logs.push_back({ticket, AttemptId{attempt}, 0, 1'000});
  return orders;
}

}  // namespace lepton::node::testing
