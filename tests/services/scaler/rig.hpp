#pragma once
// A scaler on the hand-driven surrounding, and services that report what the test says.

#include "services/scaler/scaler.hpp"
#include "tests/services/deployer/ask.hpp"

namespace lepton::scaler::testing {

using test::As;
using test::outcome;

class ScalerTest : public test::ServiceHarness {
 protected:
  Settings scaler_settings;
  As const ann{.name = "ann"};
  As const deployer{.name = "deployer", .door = actor::Door::peer};

  ScalerTest() { settings.streams = {"audit", stream_name}; }
  void boot() {
    boot_service("scaler", [this] { return std::make_unique<Scaler>(scaler_settings); });
  }
  void SetUp() override { boot(); }

  // Scaled by requests in flight, ten each, by Kubernetes' rule.
  static ScaleSettings by_concurrency(std::uint32_t min, std::uint32_t max) {
    ScaleSettings s;
    s.signal = ScaleSignal::concurrency;
    s.per_replica = 10;
    s.limits.min = min;
    s.limits.max = max;
    return s;
  }
  std::string put(std::string const& service, ScaleSettings s,
                  std::optional<std::uint32_t> replicas = {}) {
    return outcome(ask(ServiceScalePut{service, std::move(s), replicas}, ann));
  }
  // One report a second; every replica that is asked for is ready.
  void load(std::string const& service, double concurrency, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      advance(1000);
      auto const told = ask(report_of(service, concurrency), deployer);
      ASSERT_TRUE(told) << told.error().what;
      ready_[service] = told->wanted;
    }
  }
  ServiceReport report_of(std::string const& service, double concurrency) {
    ServiceReport r;
    r.service = service;
    r.ready = ready_[service];
    r.concurrency = concurrency;
    return r;
  }
  ServiceExplanation explain(std::string const& service) {
    auto const told = ask(ServiceExplain{service}, ann);
    EXPECT_TRUE(told) << told.error().what;
    return told ? *told : ServiceExplanation{};
  }
  std::uint32_t wanted(std::string const& service) { return explain(service).wanted; }
  std::vector<ServiceScaled> events() const {
    std::vector<ServiceScaled> found;
    for (auto const& [key, row] : store.disk->rows("event"))
      if (std::get<std::string>(key[0]) == stream_name)
        found.push_back(*codec::decode<ServiceScaled>(std::get<Bytes>(row[3]).data));
    return found;
  }
  std::vector<ScaleDecision> decisions() const { return test::rows_of<ScaleDecision>(*store.disk); }
  std::int64_t counter(std::string const& name) {
    return system->host("scaler").actor()->counters().at(name);
  }

 private:
  std::map<std::string, std::uint32_t> ready_;
};

}  // namespace lepton::scaler::testing
