#pragma once
// Services: work of many equal replicas that answers requests. The deployer owns and serves these
// messages; how many replicas a service should have may be decided by the scaler
// (schemas/scaler.hpp). A change of the template (the task) is a rollout: replicas are replaced a
// few at a time. Times in ms.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schemas/deployer.hpp"
#include "schemas/scale.hpp"

namespace lepton {

struct ServiceSpec {
  std::string name;
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  JobSpec task;
  std::uint32_t port = 0;
  std::int64_t drain_ms = 5'000;
  std::uint32_t max_surge = 1;
  std::uint32_t max_unavailable = 0;
  std::int64_t progress_ms = 60'000;
  std::optional<ScaleSettings> scale;
  std::int64_t hold_ms = 30'000;

  bool operator==(ServiceSpec const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using S = ServiceSpec;
    return schema::fields(
        field(1, "name", &S::name, "DNS label of at most 50; unique in the installation."),
        field(2, "min", &S::min, "Replicas at least.").bounds(0, 1000),
        field(3, "max", &S::max, "Replicas at most.").bounds(1, 1000),
        field(4, "task", &S::task, "What each replica runs; its name is given by the deployer."),
        field(5, "port", &S::port, "Port of the entrance; 0: a free one is chosen.")
            .bounds(0, 65535),
        field(6, "drain_ms", &S::drain_ms, "At most so long for open requests before a stop, ms.")
            .bounds(0, 3'600'000),
        field(7, "max_surge", &S::max_surge, "Replicas beyond the target during a rollout.")
            .bounds(0, 1000),
        field(8, "max_unavailable", &S::max_unavailable,
              "Replicas that may be missing during a rollout.")
            .bounds(0, 1000),
        field(9, "progress_ms", &S::progress_ms,
              "A replica that is not ready so long after its start has failed, ms.")
            .bounds(1'000, 86'400'000),
        field(10, "scale", &S::scale, "How the scaler decides between min and max.").optional(),
        field(130, "hold_ms", &S::hold_ms,
              "At most so long a request waits at the entrance while no replica is ready, ms.")
            .bounds(0, 600'000)
            .since(4));
  }
};
static_assert(schema::complete<ServiceSpec>());

struct ServiceApplied {
  std::string service;
  std::uint32_t revision = 0;
  std::uint32_t port = 0;
  std::uint32_t replicas = 0;
  bool changed = false;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceApplied;
    return schema::fields(field(1, "service", &T::service, "Name."),
                          field(2, "revision", &T::revision, "The revision that is wanted now."),
                          field(3, "port", &T::port, "Port of the entrance; 0: there is none."),
                          field(4, "replicas", &T::replicas, "Replicas wanted now."),
                          field(5, "changed", &T::changed, "False: it was so already."));
  }
};
static_assert(schema::complete<ServiceApplied>());
struct ServiceApply {
  static constexpr std::string_view topic = "deployer.service.apply";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ServiceApplied;
  ServiceSpec spec;

  std::string resource() const { return "service/" + spec.name; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "spec", &ServiceApply::spec, "What should run."));
  }
};
static_assert(schema::complete<ServiceApply>());
// The template of an earlier revision, as a new revision.
struct ServiceRevert {
  static constexpr std::string_view topic = "deployer.service.revert";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ServiceApplied;
  std::string service;
  std::uint32_t revision = 0;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceRevert;
    return schema::fields(
        field(1, "service", &T::service, "Name."),
        field(2, "revision", &T::revision, "Whose template; 0: the last one with another.")
            .optional());
  }
};
static_assert(schema::complete<ServiceRevert>());
// A number by hand, for a service that the scaler does not decide about.
struct ServiceResize {
  static constexpr std::string_view topic = "deployer.service.resize";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ServiceApplied;
  std::string service;
  std::uint32_t replicas = 0;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceResize;
    return schema::fields(
        field(1, "service", &T::service, "Name."),
        field(2, "replicas", &T::replicas, "Replicas from now on, within its limits.")
            .bounds(0, 1000));
  }
};
static_assert(schema::complete<ServiceResize>());
struct ServiceRemoved {
  std::string service;
  std::uint32_t replicas = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceRemoved;
    return schema::fields(
        field(1, "service", &T::service, "Name."),
        field(2, "replicas", &T::replicas, "Replicas that are being drained and stopped."));
  }
};
static_assert(schema::complete<ServiceRemoved>());
struct ServiceRemove {
  static constexpr std::string_view topic = "deployer.service.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = ServiceRemoved;
  std::string service;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "service", &ServiceRemove::service, "Name."));
  }
};
static_assert(schema::complete<ServiceRemove>());

enum class ReplicaState : std::uint8_t {
  unknown,
  starting,  // queued, placed or running, and not ready yet
  ready,     // gets requests
  unready,   // was ready, and is not now
  draining,  // gets no new requests; open ones end
  stopping
};
consteval auto enumerators(ReplicaState) {
  return std::to_array<std::string_view>(
      {"unknown", "starting", "ready", "unready", "draining", "stopping"});
}

struct ReplicaView {
  JobId job;
  std::uint64_t number = 0;
  std::uint32_t revision = 0;
  ReplicaState state = ReplicaState::unknown;
  NodeId node;
  std::uint32_t port = 0;
  std::int64_t started_at_ms = 0;
  std::string why;

  static consteval auto fields() {
    using schema::field;
    using T = ReplicaView;
    return schema::fields(
        field(1, "job", &T::job, "The job that it is."),
        field(2, "number", &T::number, "Counts the replicas of the service."),
        field(3, "revision", &T::revision, "First revision with its template."),
        field(4, "state", &T::state, "State."), field(5, "node", &T::node, "Where it runs."),
        field(6, "port", &T::port, "Its first port there."),
        field(7, "started_at_ms", &T::started_at_ms, "When it was placed, ms since 1970."),
        field(8, "why", &T::why, "Why it waits."));
  }
};
static_assert(schema::complete<ReplicaView>());
struct ServiceLine {
  std::string service;
  std::string owner;
  std::uint32_t ready = 0;
  std::uint32_t wanted = 0;
  std::uint32_t revision = 0;
  std::string address;
  std::string state;
  std::optional<double> requests_per_s;
  std::optional<double> in_flight;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceLine;
    return schema::fields(
        field(1, "service", &T::service, "Name."), field(2, "owner", &T::owner, "Who applied it."),
        field(3, "ready", &T::ready, "Replicas that are ready."),
        field(4, "wanted", &T::wanted, "Replicas wanted."),
        field(5, "revision", &T::revision, "Revision that is wanted."),
        field(6, "address", &T::address, "Of the entrance; empty: there is none."),
        field(7, "state", &T::state, "steady, scaling, rolling out, idle, stalled or removing."),
        field(8, "requests_per_s", &T::requests_per_s, "At the entrance.").optional(),
        field(9, "in_flight", &T::in_flight, "At the entrance.").optional());
  }
};
static_assert(schema::complete<ServiceLine>());
struct ServiceView {
  ServiceLine line;
  ServiceSpec spec;
  std::string why;
  std::vector<ReplicaView> replicas;

  static consteval auto fields() {
    using schema::field;
    using T = ServiceView;
    return schema::fields(field(1, "line", &T::line, "In short."),
                          field(2, "spec", &T::spec, "What should run."),
                          field(3, "why", &T::why, "Why it is not steady."),
                          field(4, "replicas", &T::replicas, "By number."));
  }
};
static_assert(schema::complete<ServiceView>());
struct ServiceShow {
  static constexpr std::string_view topic = "deployer.service.show";
  static constexpr Verb verb = Verb::read;
  using Reply = ServiceView;
  std::string service;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "service", &ServiceShow::service, "Name."));
  }
};
static_assert(schema::complete<ServiceShow>());
struct ServicePage {
  std::vector<ServiceLine> services;
  std::uint64_t total = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ServicePage;
    return schema::fields(field(1, "services", &T::services, "By name."),
                          field(2, "total", &T::total, "All that there are."));
  }
};
static_assert(schema::complete<ServicePage>());
struct ServiceList {
  static constexpr std::string_view topic = "deployer.service.list";
  static constexpr Verb verb = Verb::list;
  using Reply = ServicePage;
  std::uint32_t limit = 100;

  std::string resource() const { return "service"; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "limit", &ServiceList::limit, "At most so many.")
                              .bounds(1, 1000)
                              .optional());
  }
};
static_assert(schema::complete<ServiceList>());
struct RevisionView {
  std::uint32_t revision = 0;
  std::int64_t applied_at_ms = 0;
  std::string owner;
  std::string note;
  ServiceSpec spec;

  static consteval auto fields() {
    using schema::field;
    using T = RevisionView;
    return schema::fields(
        field(1, "revision", &T::revision, "Number, from 1."),
        field(2, "applied_at_ms", &T::applied_at_ms, "When, ms since 1970."),
        field(3, "owner", &T::owner, "Who applied it; its replicas run with these rights."),
        field(4, "note", &T::note, "How it came about."),
        field(5, "spec", &T::spec, "What should run."));
  }
};
static_assert(schema::complete<RevisionView>());
struct RevisionPage {
  std::vector<RevisionView> revisions;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "revisions", &RevisionPage::revisions, "Newest first; the last 20."));
  }
};
static_assert(schema::complete<RevisionPage>());
struct ServiceHistory {
  static constexpr std::string_view topic = "deployer.service.history";
  static constexpr Verb verb = Verb::read;
  using Reply = RevisionPage;
  std::string service;

  std::string resource() const { return "service/" + service; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "service", &ServiceHistory::service, "Name."));
  }
};
static_assert(schema::complete<ServiceHistory>());

}  // namespace lepton
