#pragma once
// The rows of the scaler (schemas/sql/scaler), beside the decisions, which are rows as they travel
// (schemas/scaler.hpp). Times are wall ms: the service's own clock begins anew with the machine.

#include "schemas/scaler.hpp"

namespace lepton::scaler {

// Replicas added or removed, for the rates of the next life.
struct PastChange {
  WallMs at_ms = 0;
  std::uint32_t added = 0;
  std::uint32_t removed = 0;

  bool operator==(PastChange const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = PastChange;
    return schema::fields(field(1, "at_ms", &P::at_ms, "When, ms since 1970."),
                          field(2, "added", &P::added, "Replicas added."),
                          field(3, "removed", &P::removed, "Replicas removed."));
  }
};
static_assert(schema::complete<PastChange>());

// Replaced at each change of the number or the settings.
struct ScalingRow {
  static constexpr std::string_view table = "scaling";
  std::string service;
  ScaleSettings settings;
  std::uint32_t wanted = 0;
  std::uint64_t number = 0;
  std::vector<PastChange> changes;
  bool removed = false;

  static consteval auto fields() {
    using schema::field;
    using R = ScalingRow;
    return schema::fields(
        field(1, "service", &R::service, "Name of the service.").key(),
        field(2, "settings", &R::settings, "How it is scaled."),
        field(3, "wanted", &R::wanted, "Replicas asked for."),
        field(4, "number", &R::number, "Changes so far."),
        field(5, "changes", &R::changes, "Those of the last hour, for the rates."),
        field(6, "removed", &R::removed,
              "Let go of; the row stays, for its numbers must not come twice."));
  }
};
static_assert(schema::complete<ScalingRow>());

}  // namespace lepton::scaler
