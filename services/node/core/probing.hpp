#pragma once
// The probes of one attempt as a pure state machine: what is to be asked now, and what the answers
// so far say. Until startup has answered well nothing else is asked. An adopted attempt (the daemon
// was restarted) is asked anew, and says nothing until it has been. Times are monotonic ms, given
// by the caller. The node's thread.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "schemas/probe.hpp"
#include "schemas/states.hpp"

namespace lepton::node {

enum class ProbeRole : std::uint8_t { startup, readiness, liveness };

class Probing {
 public:
  explicit Probing(Probes probes);

  // Each is asked once, until take() has its answer.
  std::vector<ProbeRole> due(TimeMs now);
  // It could not be asked now; it is due again.
  void put_back(ProbeRole role);
  void take(ProbeRole role, bool good, std::string const& why);

  Probe const& probe(ProbeRole role) const { return *asked(role).probe; }
  Readiness readiness() const;
  // Why the attempt must end: startup or liveness have failed too often. Nothing is due any more.
  std::optional<std::string> const& failed() const { return failed_; }

 private:
  struct Asked {
    std::optional<Probe> probe;
    std::uint32_t successes = 0, failures = 0;  // in a row
    TimeMs due_at = 0;
    TimeMs due_before = 0;
    bool out = false;
  };
  Asked& asked(ProbeRole role) { return asked_[static_cast<std::size_t>(role)]; }
  Asked const& asked(ProbeRole role) const { return asked_[static_cast<std::size_t>(role)]; }

  std::array<Asked, 3> asked_;
  bool started_;
  std::optional<bool> ready_;
  std::optional<std::string> failed_;
};

}  // namespace lepton::node
