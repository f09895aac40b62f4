#include "bench/autoscale/speed.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "common/base/check.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"
#include "services/scaler/core/scale.hpp"

namespace lepton::bench {
namespace {

struct Service {
  scaler::Signals signals;
  scaler::Memory memory;
  std::uint32_t replicas = 1;
};

void add_second(std::vector<Service>& services, TimeMs now_ms) {
  for (std::size_t i = 0; i < services.size(); ++i) {
    auto const load = 10.0 + static_cast<double>((i * 31 + static_cast<std::size_t>(now_ms)) % 97);
    services[i].signals[scaler::Signal::concurrency].add(now_ms, load);
    services[i].signals[scaler::Signal::requests_per_s].add(now_ms, load / 2);
  }
}

}  // namespace

double decisions_ms(std::size_t count, int rounds) {
  scaler::Hpa const hpa({.target = {scaler::Signal::concurrency, 2.8}});
  scaler::Kpa const kpa({.target = {scaler::Signal::concurrency, 2.8}});
  scaler::Limits const limits{.min = 1, .max = 1000};
  std::vector<Service> services(count);
  TimeMs now_ms = 0;
  std::vector<double> ms;
  std::uint64_t replicas = 0;
  for (int round = 0; round < rounds + 1; ++round) {
    for (int s = 0; s < (round == 0 ? 120 : 15); ++s) add_second(services, now_ms += 1000);
    auto const begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      auto& s = services[i];
      auto const& policy = i % 2 == 0 ? static_cast<scaler::Policy const&>(hpa) : kpa;
      s.replicas = scaler::decide(policy, limits, s.memory,
                                  {s.replicas, s.replicas, 0, 0, s.signals}, now_ms)
                       .wanted;
      replicas += s.replicas;
    }
    auto const took = std::chrono::steady_clock::now() - begin;
    if (round > 0) ms.push_back(std::chrono::duration<double, std::milli>(took).count());
  }
  LEPTON_CHECK(replicas > 0, "decisions were made");
  std::nth_element(ms.begin(), ms.begin() + rounds / 2, ms.end());
  return ms[static_cast<std::size_t>(rounds / 2)];
}

}  // namespace lepton::bench
