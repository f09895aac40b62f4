#pragma once
// Messages of the scaler: how a service is scaled, what it was last seen to do, and why it has the
// number of replicas that it has. Owned by the scaler.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/scale.hpp"

namespace lepton {

// The answer to what sets a number.
struct ScaleWanted {
  std::uint32_t wanted = 0;
  std::uint64_t number = 0;

  bool operator==(ScaleWanted const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using W = ScaleWanted;
    return schema::fields(
        field(1, "wanted", &W::wanted, "Replicas asked for from now on."),
        field(2, "number", &W::number, "Changes of the service so far; rises with each."));
  }
};
static_assert(schema::complete<ScaleWanted>());

// Begins to scale a service, or changes how. What runs now stays, within the limits.
struct ServiceScalePut {
  static constexpr std::string_view topic = "scaler.service.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ScaleWanted;
  std::string service;
  ScaleSettings settings;
  std::optional<std::uint32_t> replicas;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceScalePut;
    return schema::fields(field(1, "service", &T::service, "Name of the service, a DNS label."),
                          field(2, "settings", &T::settings, "How to scale it."),
                          field(3, "replicas", &T::replicas,
                                "Replicas that run already; nothing means the minimum. Only the "
                                "first time.")
                              .optional());
  }
};
static_assert(schema::complete<ServiceScalePut>());

// A number by hand, within the limits. The policy goes on from there.
struct ServiceScale {
  static constexpr std::string_view topic = "scaler.service.scale";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ScaleWanted;
  std::string service;
  std::uint32_t replicas = 0;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceScale;
    return schema::fields(
        field(1, "service", &T::service, "Name of the service."),
        field(2, "replicas", &T::replicas, "Replicas wanted now.").bounds(0, 100'000));
  }
};
static_assert(schema::complete<ServiceScale>());

struct ServiceUnscaled {
  std::uint32_t replicas = 0;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "replicas", &ServiceUnscaled::replicas,
                                        "Replicas that were asked for last; they stay."));
  }
};
static_assert(schema::complete<ServiceUnscaled>());

// The scaler lets go of the service; its decisions stay on record.
struct ServiceScaleRemove {
  static constexpr std::string_view topic = "scaler.service.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = ServiceUnscaled;
  std::string service;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "service", &ServiceScaleRemove::service, "Name of the service."));
  }
};
static_assert(schema::complete<ServiceScaleRemove>());

// What a service does at this moment, from who places and watches it; about once a second. The
// answer is the number that it should have.
struct ServiceReport {
  static constexpr std::string_view topic = "scaler.service.report";
  static constexpr bool peer_only = true;
  using Reply = ScaleWanted;
  std::string service;
  std::uint32_t ready = 0;
  std::uint32_t silent = 0;
  std::optional<double> requests_per_s;
  std::optional<double> concurrency;
  std::optional<double> cpu;
  std::optional<double> gpu;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceReport;
    return schema::fields(
        field(1, "service", &T::service, "Name of the service."),
        field(2, "ready", &T::ready, "Replicas that are ready."),
        field(3, "silent", &T::silent, "Of these, without figures of CPU and GPU.").optional(),
        field(4, "requests_per_s", &T::requests_per_s, "Since the last report.").optional(),
        field(5, "concurrency", &T::concurrency, "Requests in flight and waiting, mean since then.")
            .optional(),
        field(6, "cpu", &T::cpu, "CPU in use, in shares of a replica, summed.").optional(),
        field(7, "gpu", &T::gpu, "GPU in use, in shares of a replica, summed.").optional());
  }
};
static_assert(schema::complete<ServiceReport>());

struct ServiceExplanation {
  std::string service;
  ScaleSettings settings;
  std::uint32_t wanted = 0;
  std::uint32_t ready = 0;
  std::optional<WallMs> reported_at_ms;
  std::optional<ScaleDecision> newest;
  std::vector<ScaleDecision> changes;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceExplanation;
    return schema::fields(
        field(1, "service", &T::service, "Name of the service."),
        field(2, "settings", &T::settings, "How it is scaled."),
        field(3, "wanted", &T::wanted, "Replicas asked for."),
        field(4, "ready", &T::ready, "Replicas ready at the last report."),
        field(5, "reported_at_ms", &T::reported_at_ms,
              "When it was last heard of, ms since 1970; nothing since the scaler started."),
        field(6, "newest", &T::newest, "The last decision, also one that changed nothing."),
        field(7, "changes", &T::changes, "Decisions that changed the number, newest first."));
  }
};
static_assert(schema::complete<ServiceExplanation>());

struct ServiceExplain {
  static constexpr std::string_view topic = "scaler.service.explain";
  static constexpr Verb verb = Verb::read;
  using Reply = ServiceExplanation;
  std::string service;
  std::uint32_t limit = 20;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceExplain;
    return schema::fields(
        field(1, "service", &T::service, "Name of the service."),
        field(2, "limit", &T::limit, "At most so many changes.").bounds(0, 1000).optional());
  }
};
static_assert(schema::complete<ServiceExplain>());

// One service, in short.
struct ScaledService {
  std::string service;
  ScaleSettings settings;
  std::uint32_t wanted = 0;
  std::uint32_t ready = 0;
  std::optional<WallMs> reported_at_ms;

  static consteval auto fields() {
    using schema::field;
    using T = ScaledService;
    return schema::fields(field(1, "service", &T::service, "Name of the service."),
                          field(2, "settings", &T::settings, "How it is scaled."),
                          field(3, "wanted", &T::wanted, "Replicas asked for."),
                          field(4, "ready", &T::ready, "Replicas ready at the last report."),
                          field(5, "reported_at_ms", &T::reported_at_ms,
                                "When it was last heard of, ms since 1970."));
  }
};
static_assert(schema::complete<ScaledService>());

struct ScaledServicePage {
  std::vector<ScaledService> services;
  std::uint64_t total = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ScaledServicePage;
    return schema::fields(field(1, "services", &T::services, "By name."),
                          field(2, "total", &T::total, "All that are scaled."));
  }
};
static_assert(schema::complete<ScaledServicePage>());

struct ScaledServiceList {
  static constexpr std::string_view topic = "scaler.service.list";
  static constexpr Verb verb = Verb::list;
  using Reply = ScaledServicePage;
  std::string after;
  std::uint32_t limit = 100;

  std::string resource() const { return "service"; }
  static consteval auto fields() {
    using schema::field;
    using T = ScaledServiceList;
    return schema::fields(
        field(1, "after", &T::after, "Begin behind this name; empty is the beginning.").optional(),
        field(2, "limit", &T::limit, "At most so many.").bounds(1, 1000).optional());
  }
};
static_assert(schema::complete<ScaledServiceList>());

// Event of the stream "scaling": a service should have another number of replicas.
struct ServiceScaled {
  static constexpr std::string_view topic = "scaler.service.scaled";
  std::string service;
  std::uint32_t wanted = 0;
  std::uint64_t number = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceScaled;
    return schema::fields(field(1, "service", &T::service, "Name of the service."),
                          field(2, "wanted", &T::wanted, "Replicas asked for from now on."),
                          field(3, "number", &T::number, "Changes of the service so far."));
  }
};
static_assert(schema::complete<ServiceScaled>());

// The state behind that stream, for a consumer that comes late.
struct ScalingSnapshot {
  std::vector<ServiceScaled> services;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "services", &ScalingSnapshot::services, "The newest of each service."));
  }
};
static_assert(schema::complete<ScalingSnapshot>());

}  // namespace lepton
