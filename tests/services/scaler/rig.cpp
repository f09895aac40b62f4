#include "tests/services/scaler/rig.hpp"

namespace lepton::scaler::testing {

void ScalerTest::boot() {
  boot_service("scaler", [this] { return std::make_unique<Scaler>(scaler_settings); });
}

ScaleSettings ScalerTest::by_concurrency(std::uint32_t min, std::uint32_t max) {
  ScaleSettings s;
  s.signal = ScaleSignal::concurrency;
  s.per_replica = 10;
  s.limits.min = min;
  s.limits.max = max;
  return s;
}

std::string ScalerTest::put(std::string const& service, ScaleSettings s,
                            std::optional<std::uint32_t> replicas) {
  return outcome(ask(ServiceScalePut{service, std::move(s), replicas}, ann));
}

void ScalerTest::load(std::string const& service, double concurrency, int seconds) {
  for (int i = 0; i < seconds; ++i) {
    advance(1000);
    auto const told = ask(report_of(service, concurrency), deployer);
    ASSERT_TRUE(told) << told.error().what;
    ready_[service] = told->wanted;
  }
}

ServiceReport ScalerTest::report_of(std::string const& service, double concurrency) {
  ServiceReport r;
  r.service = service;
  r.ready = ready_[service];
  r.concurrency = concurrency;
  return r;
}

ServiceExplanation ScalerTest::explain(std::string const& service) {
  auto const told = ask(ServiceExplain{service}, ann);
  EXPECT_TRUE(told) << told.error().what;
  return told ? *told : ServiceExplanation{};
}

std::vector<ServiceScaled> ScalerTest::events() const {
  std::vector<ServiceScaled> found;
  for (auto const& [key, row] : store.disk->rows("event"))
    if (std::get<std::string>(key[0]) == stream_name)
      found.push_back(*codec::decode<ServiceScaled>(std::get<Bytes>(row[3]).data));
  return found;
}

std::int64_t ScalerTest::counter(std::string const& name) {
  return system->host("scaler").actor()->counters().at(name);
}

}  // namespace lepton::scaler::testing
