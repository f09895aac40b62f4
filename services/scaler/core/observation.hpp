#pragma once
// What a policy looks at: the signals of one service and its replicas. Pure values.
// Every signal is a total over the replicas, so that the share of one is total / replicas.

#include <array>
#include <cstdint>
#include <optional>

#include "common/base/check.hpp"
#include "common/base/recent.hpp"
#include "schemas/scaler.hpp"

namespace lepton::scaler {

using Signal = ScaleSignal;

// CPU and GPU are used by ready replicas only and cannot pass what they were given; demand waits.
constexpr bool is_usage(Signal s) {
  return s == Signal::cpu || s == Signal::gpu;
}

class Signals {
 public:
  explicit Signals(std::size_t capacity = Recent::default_capacity)
      : series_{Recent(capacity), Recent(capacity), Recent(capacity), Recent(capacity)} {}
  // Signal::unknown is nobody's; asking for it stops the process.
  Recent& operator[](Signal s) { return series_[index(s)]; }
  Recent const& operator[](Signal s) const { return series_[index(s)]; }
  // When requests were last seen in flight or arriving; nothing when no sample says so.
  std::optional<TimeMs> last_demand_ms() const;
  // Whether requests are counted at all; without that, nobody can tell idle from blind.
  bool sees_demand() const;

 private:
  static std::size_t index(Signal s) {
    LEPTON_CHECK(s > Signal::unknown && s <= Signal::gpu, "a signal of the list");
    return static_cast<std::size_t>(s) - 1;
  }
  std::array<Recent, 4> series_;
};

// How much of a signal one replica should carry: 0.7 of its CPU, 2.8 requests in flight.
struct Target {
  Signal signal = Signal::concurrency;
  double per_replica = 1;
  bool operator==(Target const&) const = default;
};

struct Observation {
  std::uint32_t replicas = 0;  // asked for at present, whatever state they are in
  std::uint32_t ready = 0;     // of these
  std::uint32_t starting = 0;  // of these: not ready yet
  std::uint32_t silent = 0;    // of the ready ones: without samples of CPU and GPU
  Signals const& signals;
  Signals const* leader = nullptr;  // of the service that it follows; nothing: its own

  Signals const& followed() const { return leader == nullptr ? signals : *leader; }
};

}  // namespace lepton::scaler
