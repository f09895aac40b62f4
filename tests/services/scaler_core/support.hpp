#pragma once
// Short ways to give a service signals and replicas.

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "services/scaler/core/memory.hpp"
#include "services/scaler/core/observation.hpp"
#include "services/scaler/core/policy.hpp"
#include "services/scaler/core/scale.hpp"

namespace lepton::scaler {

// A service whose replicas are all ready at once; one sample a second of every signal.
struct Service {
  Signals signals;
  Memory memory;
  std::uint32_t replicas = 1;
  TimeMs now_ms = 0;

  // `seconds` samples of one signal; the others stay silent.
  void run(Signal signal, double value, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_ms += 1000;
      EXPECT_TRUE(signals[signal].add(now_ms, value));
    }
  }
  Observation seen() const { return {replicas, replicas, 0, 0, signals}; }
  Proposal ask(Policy const& policy) { return policy.decide(memory, seen(), now_ms); }
  // Decides and takes what was decided.
  Decision step(Policy const& policy, Limits const& limits) {
    auto d = decide(policy, limits, memory, seen(), now_ms);
    replicas = d.wanted;
    return d;
  }
};

inline bool says(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace lepton::scaler
