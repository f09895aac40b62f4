#pragma once
// A node with a fake runner on the hand-driven surrounding; the test plays the deployer.

#include "services/node/node.hpp"
#include "tests/services/deployer/ask.hpp"
#include "tests/services/node/counting_runner.hpp"

namespace lepton::node::testing {

class NodeTest : public test::ServiceHarness {
 protected:
  std::shared_ptr<CountingRunner> runner = std::make_shared<CountingRunner>(clock);
  Settings node_settings = [] {
    Settings s;
    s.node = NodeId{"n1"};
    s.boot_id = "boot-1";
    s.incarnation = "life-1";
    s.capacity = {8'000, 16'384, 0, {}, 20'000, 100};
    for (auto const* uuid : {"GPU-a", "GPU-b"}) s.capacity.gpus.push_back({uuid, "H100", 81'920});
    return s;
  }();

  NodeTest() {
    settings.durable = false;
    settings.streams.clear();
    script("job-1-0", {.duration_ms = std::nullopt});
  }
  void script(std::string const& task, FakeTask const& behaviour) {
    runner->fake.script(task, behaviour);
  }
  // Another process of the daemon; what the runner runs stays.
  void boot() {
    boot_service("node", [this] { return std::make_unique<Node>(node_settings, runner); });
    rest();
  }
  void SetUp() override { boot(); }

  // Until neither the actor nor the worker has anything to do.
  void rest() {
    settle();
    while (!worker.done.empty()) {
      pop(worker.done);
      settle();
    }
  }
  void pass(TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += 50) {
      advance(std::min<TimeMs>(50, ms - passed));
      rest();
    }
  }

  std::vector<NodeSync> out() {
    std::vector<NodeSync> syncs;
    for (auto const& request : open_requests<NodeSync>())
      syncs.push_back(*codec::decode<NodeSync>(request.body));
    return syncs;
  }
  NodeSync newest() {
    auto const syncs = out();
    EXPECT_FALSE(syncs.empty()) << "the node says nothing";
    return syncs.empty() ? NodeSync{} : syncs.back();
  }
  void answer(test::RecordingWire::Message const& sync, Result<NodeOrders> const& orders) {
    reply_to<NodeSync>(sync, orders);
    rest();
  }
  // All that are out: the older ones with nothing, the newest with the orders.
  void answer(Result<NodeOrders> const& orders) {
    auto const open = open_requests<NodeSync>();
    ASSERT_FALSE(open.empty());
    auto const last = open.back();
    for (auto const& sync : open)
      if (sync.header.id != last.header.id) reply_to<NodeSync>(sync, NodeOrders{});
    answer(last, orders);
  }
  // Answers with nothing, as the deployer does, until one sync waits for news.
  void answer_all_news() {
    constexpr int rounds_max = 10;
    for (int i = 0; i < rounds_max && (out().size() != 1 || newest().wait_ms == 0); ++i)
      answer(NodeOrders{});
    EXPECT_EQ(out().size(), 1u) << "it does not come to rest";
  }
  std::optional<AttemptReport> reported(std::string const& attempt) {
    for (auto const& report : newest().reports)
      if (report.attempt.value == attempt) return report;
    return std::nullopt;
  }
  std::string reported_state(std::string const& attempt) {
    auto const report = reported(attempt);
    if (!report) return "none";
    return std::string(schema::name_of(report->state)) + (report->final ? " final" : "");
  }

  StartOrder start_order(std::string const& job = "job-1", std::uint32_t round = 1) {
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
  NodeOrders start(StartOrder order) {
    NodeOrders orders;
    orders.starts.push_back(std::move(order));
    return orders;
  }
  NodeOrders stop(std::string const& attempt) {
    NodeOrders orders;
    orders.stops.push_back({AttemptId{attempt}, TaskId{"task"}, "not wanted"});
    return orders;
  }
  NodeOrders acknowledge(std::string const& attempt) {
    NodeOrders orders;
    orders.acknowledged.push_back(AttemptId{attempt});
    return orders;
  }
  NodeOrders lease(std::string const& attempt, TimeMs ms = 10'000) {
    NodeOrders orders;
    orders.leases.push_back({AttemptId{attempt}, ms});
    return orders;
  }
  NodeOrders log(std::string const& attempt, std::uint64_t ticket = 7) {
    NodeOrders orders;
    orders.logs.push_back({ticket, AttemptId{attempt}, 0, 1'000});
    return orders;
  }
};

}  // namespace lepton::node::testing
