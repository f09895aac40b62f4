#pragma once
// A service's spec file to the ServiceSpec of the wire: the fields of a job's spec for the task of
// each replica, and those of ServiceFile. Errors: invalid, as "line N: FIELD: what is wrong, what
// to write instead". Pure except read_service_spec(). One thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/spec/spec.hpp"
#include "schemas/service.hpp"

namespace lepton::cli {

struct SpecReplicas {
  std::uint32_t min = 1;
  std::uint32_t max = 1;

  static consteval auto fields() {
    using schema::field;
    using R = SpecReplicas;
    return schema::fields(field(1, "min", &R::min, "Replicas at least.").bounds(0, 1000),
                          field(2, "max", &R::max, "Replicas at most.").bounds(1, 1000));
  }
};
static_assert(schema::complete<SpecReplicas>());

struct SpecProbe {
  std::optional<std::string> http;
  bool tcp = false;
  std::vector<std::string> command;
  std::string period = "1s";
  std::string timeout = "1s";
  std::uint32_t successes = 1;
  std::uint32_t failures = 3;

  static consteval auto fields() {
    using schema::field;
    using P = SpecProbe;
    return schema::fields(
        field(1, "http", &P::http, "Path at $PORT that must answer 200 to 399: /ready.").optional(),
        field(2, "tcp", &P::tcp, "true: $PORT must take a connection.").optional(),
        field(3, "command", &P::command, "Program and arguments; must end with 0.").optional(),
        field(4, "period", &P::period, "Between two questions: 1s.").optional(),
        field(5, "timeout", &P::timeout, "No answer for so long is a failure: 1s.").optional(),
        field(6, "successes", &P::successes, "So many in a row make it good.")
            .bounds(1, 100)
            .optional(),
        field(7, "failures", &P::failures, "So many in a row make it bad.")
            .bounds(1, 1000)
            .optional());
  }
};
static_assert(schema::complete<SpecProbe>());

struct SpecProbes {
  std::optional<SpecProbe> startup, readiness, liveness;

  static consteval auto fields() {
    using schema::field;
    using P = SpecProbes;
    return schema::fields(
        field(1, "startup", &P::startup, "Asked until its first success.").optional(),
        field(2, "readiness", &P::readiness, "Whether a replica gets requests.").optional(),
        field(3, "liveness", &P::liveness, "A replica that fails it is replaced.").optional());
  }
};
static_assert(schema::complete<SpecProbes>());

struct SpecUpdate {
  std::uint32_t max_surge = 1;
  std::uint32_t max_unavailable = 0;
  std::string progress = "1m";

  static consteval auto fields() {
    using schema::field;
    using U = SpecUpdate;
    return schema::fields(
        field(1, "max_surge", &U::max_surge, "Replicas beyond the target.")
            .bounds(0, 1000)
            .optional(),
        field(2, "max_unavailable", &U::max_unavailable, "Replicas that may be missing.")
            .bounds(0, 1000)
            .optional(),
        field(3, "progress", &U::progress, "A replica must be ready within: 1m.").optional());
  }
};
static_assert(schema::complete<SpecUpdate>());

struct SpecScale {
  std::string policy = "kpa";
  ScaleSignal signal = ScaleSignal::concurrency;
  double per_replica = 1;
  std::string up_cooldown = "0";
  std::string down_cooldown = "0";
  std::string zero_after = "30s";
  std::string window = "0";
  double keep = 1;
  double share = 1;
  std::string period = "1m";
  std::string follows;

  static consteval auto fields() {
    using schema::field;
    using S = SpecScale;
    return schema::fields(
        field(1, "policy", &S::policy, "threshold, hpa, kpa, staffing or adjustment.").optional(),
        field(2, "signal", &S::signal, "requests_per_s, concurrency, cpu or gpu.").optional(),
        field(3, "per_replica", &S::per_replica, "How much of it one replica should carry."),
        field(4, "up_cooldown", &S::up_cooldown, "After a change none upwards for: 10s.")
            .optional(),
        field(5, "down_cooldown", &S::down_cooldown, "After a change none downwards for: 10s.")
            .optional(),
        field(6, "zero_after", &S::zero_after,
              "With min: 0, the last replica goes after so long without requests: 30s.")
            .optional(),
        field(7, "window", &S::window, "The mean over so long counts; 0: the policy's own.")
            .optional(),
        field(8, "keep", &S::keep, "With adjustment: how much of the replicas stays by itself.")
            .optional(),
        field(9, "share", &S::share, "With adjustment: its share of the change.").optional(),
        field(10, "period", &S::period, "With adjustment: one step in each, 1s to 1m.").optional(),
        field(11, "follows", &S::follows, "With adjustment: the service whose signal counts.")
            .optional());
  }
};
static_assert(schema::complete<SpecScale>());

struct ServiceFile {
  std::string type;
  SpecReplicas replicas;
  std::uint32_t port = 0;
  SpecProbes probes;
  std::string drain = "5s";
  SpecUpdate update;
  std::optional<SpecScale> scale;
  std::string hold = "30s";

  static consteval auto fields() {
    using schema::field;
    using S = ServiceFile;
    return schema::fields(
        field(1, "type", &S::type, "service."),
        field(2, "replicas", &S::replicas, "A number, or {min: 1, max: 3}.").optional(),
        field(3, "port", &S::port, "Port of the entrance; left out: a free one.")
            .bounds(1, 65535)
            .optional(),
        field(4, "probes", &S::probes, "How replicas are asked whether they are well.").optional(),
        field(5, "drain", &S::drain, "At most so long for open requests before a stop: 5s.")
            .optional(),
        field(6, "update", &S::update, "How replicas are replaced.").optional(),
        field(7, "scale", &S::scale, "How the scaler decides between min and max.").optional(),
        field(8, "hold", &S::hold, "So long a request waits while no replica is ready: 30s.")
            .optional());
  }
};
static_assert(schema::complete<ServiceFile>());

Result<ServiceSpec> parse_service_spec(std::string_view yaml, std::string const& folder,
                                       SpecFileReader const& read);
Result<ServiceSpec> read_service_spec(std::string const& path);

}  // namespace lepton::cli
