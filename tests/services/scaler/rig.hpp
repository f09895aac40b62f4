#pragma once
// A scaler on the hand-driven surrounding, and services that report what the test says.

#include "services/scaler/scaler.hpp"
#include "tests/common/harness/service_harness.hpp"

namespace lepton::scaler::testing {

using test::As;
using test::outcome;

class ScalerTest : public test::ServiceHarness {
 protected:
  Settings scaler_settings;
  As const ann{.name = "ann"};
  As const deployer{.name = "deployer", .door = actor::Door::peer};

  ScalerTest() { settings.streams = {"audit", stream_name}; }
  void boot();
  void SetUp() override { boot(); }

  // Scaled by requests in flight, ten each, by Kubernetes' rule.
  static ScaleSettings by_concurrency(std::uint32_t min, std::uint32_t max);
  std::string put(std::string const& service, ScaleSettings s,
                  std::optional<std::uint32_t> replicas = {});
  // One report a second; every replica that is asked for is ready.
  void load(std::string const& service, double concurrency, int seconds);
  ServiceReport report_of(std::string const& service, double concurrency);
  ServiceExplanation explain(std::string const& service);
  std::uint32_t wanted(std::string const& service) { return explain(service).wanted; }
  std::vector<ServiceScaled> events() const;
  std::vector<ScaleDecision> decisions() const { return test::rows_of<ScaleDecision>(*store.disk); }
  std::int64_t counter(std::string const& name);

 private:
  std::map<std::string, std::uint32_t> ready_;
};

}  // namespace lepton::scaler::testing
