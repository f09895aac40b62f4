#pragma once
// The rows of services (schemas/sql/deployer/0003_services.sql): what is wanted, every revision of
// it, and the replicas. A replica is a job; its row ties it to its service. The deployer's thread.

#include "common/schema/schema.hpp"
#include "schemas/service.hpp"

namespace lepton::deployer {

struct ServiceRow {
  static constexpr std::string_view table = "service";
  std::string service;
  std::uint32_t revision = 0;
  std::uint32_t template_number = 0;
  std::uint32_t proven = 0;
  std::uint32_t wanted = 0;
  std::uint32_t port = 0;
  std::uint64_t replicas_made = 0;
  std::uint32_t failures = 0;
  std::int64_t not_before_ms = 0;
  std::string stalled;
  bool scaling_due = false;
  bool scaled = false;
  bool removing = false;

  bool operator==(ServiceRow const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = ServiceRow;
    return schema::fields(
        field(1, "service", &R::service, "Name.").key(),
        field(2, "revision", &R::revision, "The revision that is wanted."),
        field(3, "template_number", &R::template_number, "First revision with its template."),
        field(4, "proven", &R::proven, "Template of the last completed rollout; 0: none."),
        field(5, "wanted", &R::wanted, "Replicas wanted."),
        field(6, "port", &R::port, "Port of its entrance; 0: none."),
        field(7, "replicas_made", &R::replicas_made, "Number of the last replica."),
        field(8, "failures", &R::failures, "Of replicas of the template, one after another."),
        field(9, "not_before_ms", &R::not_before_ms, "No start before this, ms since 1970."),
        field(10, "stalled", &R::stalled, "Why the rollout was given up; empty: it was not."),
        field(11, "scaling_due", &R::scaling_due, "The scaler has to be told how to scale it."),
        field(12, "scaled", &R::scaled, "The scaler decides how many replicas it has."),
        field(13, "removing", &R::removing, "It goes when its last replica has ended."));
  }
};
static_assert(schema::complete<ServiceRow>());

// Written once.
struct RevisionRow {
  static constexpr std::string_view table = "service_revision";
  std::string service;
  std::uint32_t revision = 0;
  std::uint32_t template_number = 0;
  ServiceSpec spec;
  std::string owner;
  std::vector<std::string> policies;
  std::string token;
  std::int64_t applied_at_ms = 0;
  std::string note;

  static consteval auto fields() {
    using schema::field;
    using R = RevisionRow;
    return schema::fields(
        field(1, "service", &R::service, "Name.").key(),
        field(2, "revision", &R::revision, "Number, from 1.").key(),
        field(3, "template_number", &R::template_number, "First revision with its template."),
        field(4, "spec", &R::spec, "What was asked for."),
        field(5, "owner", &R::owner, "Who asked; replicas run with these rights."),
        field(6, "policies", &R::policies, "Policies of the token that it was asked with."),
        field(7, "token", &R::token, "Identity of that token."),
        field(8, "applied_at_ms", &R::applied_at_ms, "When, ms since 1970."),
        field(9, "note", &R::note, "How it came about."));
  }
};
static_assert(schema::complete<RevisionRow>());

struct ReplicaRow {
  static constexpr std::string_view table = "service_replica";
  JobId job;
  std::string service;
  std::uint64_t number = 0;
  std::uint32_t template_number = 0;
  std::uint32_t round = 0;
  bool ready = false;
  std::int64_t ready_at_ms = 0;
  std::int64_t drain_until_ms = 0;

  bool operator==(ReplicaRow const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = ReplicaRow;
    return schema::fields(
        field(1, "job", &R::job, "The job that it is.").key(),
        field(2, "service", &R::service, "Its service."),
        field(3, "number", &R::number, "Counts the replicas of the service."),
        field(4, "template_number", &R::template_number, "What it runs."),
        field(5, "round", &R::round, "Round of the job that the next two speak of."),
        field(6, "ready", &R::ready, "As last heard."),
        field(7, "ready_at_ms", &R::ready_at_ms, "When it first was, ms since 1970; 0: not yet."),
        field(8, "drain_until_ms", &R::drain_until_ms,
              "It is stopped then at the latest, ms since 1970; 0: it is not draining."));
  }
};
static_assert(schema::complete<ReplicaRow>());

// schemas/sql/deployer/0009_vacated_ports.sql
struct VacatedPortRow {
  static constexpr std::string_view table = "vacated_port";
  AttemptId attempt;
  NodeId node;
  std::uint32_t port = 0;
  std::string address;

  static consteval auto fields() {
    using schema::field;
    using R = VacatedPortRow;
    return schema::fields(field(1, "attempt", &R::attempt, "Holds the port; nobody's work.").key(),
                          field(2, "node", &R::node, "The node."),
                          field(3, "port", &R::port, "The port there."),
                          field(4, "address", &R::address, "As the balancer knows it."));
  }
};
static_assert(schema::complete<VacatedPortRow>());

}  // namespace lepton::deployer
