#include "tests/services/monitor/rig.hpp"

namespace lepton::monitor::testing {

void MonitorTest::boot() {
  boot_service("monitor", [this] { return std::make_unique<Monitor>(monitor_settings, webhook); });
}

NodeReport MonitorTest::report_of(std::string const& node, std::vector<Measure> values,
                                  std::string const& boot) {
  NodeReport r;
  r.node = NodeId{node};
  r.boot_id = boot;
  r.samples = {{0, std::move(values)}};
  return r;
}

Result<ReportTaken> MonitorTest::send(NodeReport const& report) {
  return ask(report, As{.name = report.node.value});
}

void MonitorTest::beat(std::string const& node, int seconds, std::vector<Measure> const& values) {
  for (int i = 0; i < seconds; ++i) {
    auto const taken = send(report_of(node, values));
    ASSERT_TRUE(taken) << taken.error().what;
    pass(1'000);
  }
}

void MonitorTest::pass(TimeMs ms) {
  for (TimeMs passed = 0; passed < ms; passed += 500) {
    advance(std::min<TimeMs>(500, ms - passed));
    for (; !worker.done.empty(); settle()) pop(worker.done);
  }
}

NodeStory MonitorTest::show(std::string const& node) {
  auto const told = ask(NodeShow{NodeId{node}}, ann);
  EXPECT_TRUE(told) << told.error().what;
  return told ? *told : NodeStory{};
}

std::string MonitorTest::state(std::string const& node) {
  return std::string(schema::name_of(show(node).health.state));
}

std::int64_t MonitorTest::counter(std::string const& name) {
  auto const all = system->host("monitor").actor()->counters();
  auto const found = all.find(name);
  return found == all.end() ? 0 : found->second;
}

AlertRule MonitorTest::hot(double threshold) {
  AlertRule r;
  r.name = "hot";
  r.series = Series::gpu_temperature_celsius;
  r.threshold = threshold;
  r.window_ms = 5'000;
  r.pending_ms = 10'000;
  r.resolve_ms = 5'000;
  return r;
}

}  // namespace lepton::monitor::testing
