#pragma once
// A monitor on the hand-driven surrounding, and nodes that report what the test says.

#include "services/monitor/monitor.hpp"
#include "tests/common/harness/service_harness.hpp"

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
  void boot();
  void SetUp() override { boot(); }

  static NodeReport report_of(std::string const& node, std::vector<Measure> values,
                              std::string const& boot = "boot-1");
  Result<ReportTaken> send(NodeReport const& report);
  // One report a second.
  void beat(std::string const& node, int seconds, std::vector<Measure> const& values = {});
  void pass(TimeMs ms);
  NodeStory show(std::string const& node);
  std::string state(std::string const& node);
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
  std::int64_t counter(std::string const& name);
  static AlertRule hot(double threshold = 90);
};

}  // namespace lepton::monitor::testing
