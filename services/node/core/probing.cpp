#include "services/node/core/probing.hpp"

#include <utility>

namespace lepton::node {
namespace {

constexpr ProbeRole roles[] = {ProbeRole::startup, ProbeRole::readiness, ProbeRole::liveness};

std::string failure(char const* name, std::uint32_t times, std::string const& why) {
  return std::string(name) + " probe failed " + std::to_string(times) +
         (times == 1 ? " time: " : " times: ") + why;
}

}  // namespace

Probing::Probing(Probes probes) : started_(!probes.startup) {
  asked(ProbeRole::startup).probe = std::move(probes.startup);
  asked(ProbeRole::readiness).probe = std::move(probes.readiness);
  asked(ProbeRole::liveness).probe = std::move(probes.liveness);
}

std::vector<ProbeRole> Probing::due(TimeMs now) {
  std::vector<ProbeRole> all;
  if (failed_) return all;
  for (auto const role : roles) {
    auto& a = asked(role);
    auto const waits = (role == ProbeRole::startup) == started_;
    if (!a.probe || a.out || waits || now < a.due_at) continue;
    a.out = true;
    a.due_before = a.due_at;
    a.due_at = now + a.probe->period_ms;
    all.push_back(role);
  }
  return all;
}

void Probing::put_back(ProbeRole role) {
  asked(role).out = false;
  asked(role).due_at = asked(role).due_before;
}

void Probing::take(ProbeRole role, bool good, std::string const& why) {
  auto& a = asked(role);
  if (!a.probe || !std::exchange(a.out, false) || failed_) return;
  a.successes = good ? a.successes + 1 : 0;
  a.failures = good ? 0 : a.failures + 1;
  auto const passed = a.successes >= a.probe->successes;
  auto const lost = a.failures >= a.probe->failures;
  if (role == ProbeRole::readiness) {
    if (passed || lost) ready_ = passed;
  } else if (lost) {
    failed_ = failure(role == ProbeRole::startup ? "startup" : "liveness", a.failures, why);
  } else if (role == ProbeRole::startup && passed) {
    started_ = true;
  }
}

Readiness Probing::readiness() const {
  if (failed_) return Readiness::no;
  if (!started_) return Readiness::pending;
  if (!asked(ProbeRole::readiness).probe) return Readiness::yes;
  if (!ready_) return Readiness::pending;
  return *ready_ ? Readiness::yes : Readiness::no;
}

}  // namespace lepton::node
