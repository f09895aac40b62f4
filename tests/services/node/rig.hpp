#pragma once
// A node with a fake runner on the hand-driven surrounding; the test plays the deployer.

#include "services/node/node.hpp"
#include "tests/common/harness/service_harness.hpp"
#include "tests/services/node/counting_runner.hpp"

namespace lepton::node::testing {

class NodeTest : public test::ServiceHarness {
 protected:
  std::shared_ptr<CountingRunner> runner = std::make_shared<CountingRunner>(clock);
  Settings node_settings;

  NodeTest();
  void script(std::string const& task, FakeTask const& behaviour);
  // Another process of the daemon; what the runner runs stays.
  void boot();
  void SetUp() override { boot(); }

  // Until neither the actor nor the worker has anything to do.
  void rest();
  void pass(TimeMs ms);

  std::vector<NodeSync> out();
  NodeSync newest();
  void answer(test::RecordingWire::Message const& sync, Result<NodeOrders> const& orders);
  // All that are out: the older ones with nothing, the newest with the orders.
  void answer(Result<NodeOrders> const& orders);
  // Answers with nothing, as the deployer does, until one sync waits for news.
  void answer_all_news();
  std::optional<AttemptReport> reported(std::string const& attempt);
  std::string reported_state(std::string const& attempt);

  StartOrder start_order(std::string const& job = "job-1", std::uint32_t round = 1);
  NodeOrders start(StartOrder order);
  NodeOrders stop(std::string const& attempt);
  NodeOrders acknowledge(std::string const& attempt);
  NodeOrders lease(std::string const& attempt, TimeMs ms = 10'000);
  NodeOrders log(std::string const& attempt, std::uint64_t ticket = 7);
};

}  // namespace lepton::node::testing
