#pragma once
// How long one round of decisions takes for many services, each with full windows of samples.

#include <cstddef>

namespace lepton::bench {

// Median over the rounds, in ms; one thread.
double decisions_ms(std::size_t services, int rounds);

}  // namespace lepton::bench
