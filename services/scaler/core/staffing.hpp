#pragma once
// How many replicas chance asks for, beyond the mean. Requests that arrive independently at a
// steady rate make the number in flight Poisson (M/G/infinity: mean = rate x service time), and the
// time to the next arrival exponential. Pure. Feller, An Introduction to Probability Theory,
// vol. 1.

#include <cstdint>

namespace lepton::scaler {

// P(T <= t) = 1 - e^(-rate t); 0 for t <= 0 or a rate <= 0. Exact for small products, too.
double exponential_cdf(double rate, double t);

inline constexpr double poisson_mean_max = 1e9;

// P(N = k) and P(N <= k) of a Poisson number. The mean must be from 0 to poisson_mean_max.
double poisson_pmf(double mean, std::uint64_t k);
double poisson_cdf(double mean, std::uint64_t k);
// The least k with P(N <= k) >= p; p from 0 to below 1.
std::uint64_t poisson_quantile(double mean, double p);

// Replicas of so many requests at once, so that with probability p all that are in flight have
// room. Beyond a mean of staffing_mean_max chance adds less than 0.3 % and is left out.
inline constexpr double staffing_mean_max = 1e6;
std::uint32_t staff(double in_flight, double per_replica, double p);

}  // namespace lepton::scaler
