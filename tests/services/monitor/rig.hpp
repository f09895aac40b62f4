#pragma once
// A monitor on the hand-driven surrounding, and nodes that report what the test says.

#include "services/monitor/monitor.hpp"
#include "tests/services/deployer/ask.hpp"

namespace lepton::monitor::testing {

using test::As;
using test::outcome;

class MonitorTest : public test::ServiceHarness {
 protected:
  struct FakeWebhook final : Webhook {
    std::vector<std::string> posts;
    Status next = ok();
    Status post(std::string const& json) override {
      posts.push_back(json);
      return next;
    }
  };

  Settings monitor_settings;
  std::shared_ptr<FakeWebhook> webhook;
  As const ann{.name = "ann"};

  MonitorTest() { settings.streams = {"audit", nodes_stream, alerts_stream}; }
  void boot() {
    boot_service("monitor",
                 [this] { return std::make_unique<Monitor>(monitor_settings, webhook); });
  }
  void SetUp() override { boot(); }

  static NodeReport report_of(std::string const& node, std::vector<Measure> values,
                              std::string const& boot = "boot-1") {
    NodeReport r;
    r.node = NodeId{node};
    r.boot_id = boot;
    r.samples = {{0, std::move(values)}};
    return r;
  }
  Result<ReportTaken> send(NodeReport const& report) {
    return ask(report, As{.name = report.node.value});
  }
  // One report a second.
  void beat(std::string const& node, int seconds, std::vector<Measure> const& values = {}) {
    for (int i = 0; i < seconds; ++i) {
      auto const taken = send(report_of(node, values));
      ASSERT_TRUE(taken) << taken.error().what;
      pass(1'000);
    }
  }
  void pass(TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += 500) {
      advance(std::min<TimeMs>(500, ms - passed));
      for (; !worker.done.empty(); settle()) pop(worker.done);
    }
  }
  NodeStory show(std::string const& node) {
    auto const told = ask(NodeShow{NodeId{node}}, ann);
    EXPECT_TRUE(told) << told.error().what;
    return told ? *told : NodeStory{};
  }
  std::string state(std::string const& node) {
    return std::string(schema::name_of(show(node).health.state));
  }
  template <class Event>
  std::vector<decltype(Event::change)> events(std::string const& stream) const {
    std::vector<decltype(Event::change)> found;
    for (auto const& [key, row] : store.disk->rows("event"))
      if (std::get<std::string>(key[0]) == stream)
        found.push_back(codec::decode<Event>(std::get<Bytes>(row[3]).data)->change);
    return found;
  }
  template <store::Row T>
  std::vector<T> rows() const {
    return test::rows_of<T>(*store.disk);
  }
  std::int64_t counter(std::string const& name) {
    auto const all = system->host("monitor").actor()->counters();
    auto const found = all.find(name);
    return found == all.end() ? 0 : found->second;
  }
  static AlertRule hot(double threshold = 90) {
    AlertRule r;
    r.name = "hot";
    r.series = Series::gpu_temperature_celsius;
    r.threshold = threshold;
    r.window_ms = 5'000;
    r.pending_ms = 10'000;
    r.resolve_ms = 5'000;
    return r;
  }
};

}  // namespace lepton::monitor::testing
