#pragma once
// Probes: how a node asks a replica whether it is well. startup: until its first success nothing
// else is asked; readiness: whether it should get requests; liveness: a replica that fails it is
// ended, and replaced. Times in ms.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/schema/schema.hpp"

namespace lepton {

// http: a GET of the path answers 200 to 399; tcp: a connection is taken; command: exit code 0.
enum class ProbeKind : std::uint8_t { unknown, http, tcp, command };
consteval auto enumerators(ProbeKind) {
  return std::to_array<std::string_view>({"unknown", "http", "tcp", "command"});
}

struct Probe {
  ProbeKind kind = ProbeKind::tcp;
  std::string path;
  std::vector<std::string> command;
  std::int64_t period_ms = 1'000;
  std::int64_t timeout_ms = 1'000;
  std::uint32_t successes = 1;
  std::uint32_t failures = 3;

  bool operator==(Probe const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = Probe;
    return schema::fields(
        field(1, "kind", &P::kind, "http, tcp or command."),
        field(2, "path", &P::path, "Of http, from the slash on."),
        field(3, "command", &P::command,
              "Of command: program and arguments; PORT is in its environment."),
        field(4, "period_ms", &P::period_ms, "Between two questions, ms.").bounds(100, 3'600'000),
        field(5, "timeout_ms", &P::timeout_ms, "No answer for so long is a failure, ms.")
            .bounds(50, 60'000),
        field(6, "successes", &P::successes, "So many in a row make it good.").bounds(1, 100),
        field(7, "failures", &P::failures, "So many in a row make it bad.").bounds(1, 1000));
  }
};
static_assert(schema::complete<Probe>());

struct Probes {
  std::optional<Probe> startup, readiness, liveness;

  bool any() const { return startup || readiness || liveness; }
  bool operator==(Probes const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = Probes;
    return schema::fields(
        field(1, "startup", &P::startup, "Asked until its first success.").optional(),
        field(2, "readiness", &P::readiness, "Whether it gets requests.").optional(),
        field(3, "liveness", &P::liveness, "A replica that fails it is replaced.").optional());
  }
};
static_assert(schema::complete<Probes>());

}  // namespace lepton
