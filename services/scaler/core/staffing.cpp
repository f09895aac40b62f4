#include "services/scaler/core/staffing.hpp"

#include <algorithm>
#include <cmath>

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

namespace {

// Below this number lies nothing that a double could show.
std::uint64_t lowest(double mean) {
  return static_cast<std::uint64_t>(std::max(0.0, mean - 40 * std::sqrt(mean) - 40));
}

}  // namespace

double exponential_cdf(double rate, double t) {
  if (!(rate > 0) || !(t > 0)) return 0;
  return -std::expm1(-rate * t);
}

double poisson_pmf(double mean, std::uint64_t k) {
  LEPTON_CHECK(mean >= 0 && mean <= poisson_mean_max, "a mean within its range");
  auto const n = static_cast<double>(k);
  if (mean == 0) return k == 0 ? 1 : 0;
  return std::exp(n * std::log(mean) - mean - std::lgamma(n + 1));
}

double poisson_cdf(double mean, std::uint64_t k) {
  double sum = 0;
  // Far above the mean nothing more comes, so a huge k costs no more than the whole distribution.
  auto const last = std::min(k, static_cast<std::uint64_t>(mean + 40 * std::sqrt(mean) + 200));
  for (auto i = lowest(mean); i <= last; ++i) sum += poisson_pmf(mean, i);
  return std::min(sum, 1.0);
}

std::uint64_t poisson_quantile(double mean, double p) {
  LEPTON_CHECK(p >= 0 && p < 1, "a probability below 1");
  auto const last = static_cast<std::uint64_t>(mean + 40 * std::sqrt(mean) + 200);
  auto k = lowest(mean);
  for (double sum = poisson_pmf(mean, k); sum < p && k < last;) sum += poisson_pmf(mean, ++k);
  return k;
}

std::uint32_t staff(double in_flight, double per_replica, double p) {
  if (in_flight > staffing_mean_max) return ceil_replicas(in_flight / per_replica);
  return ceil_replicas(static_cast<double>(poisson_quantile(in_flight, p)) / per_replica);
}

}  // namespace lepton::scaler
