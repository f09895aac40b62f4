#pragma once
// From an event of another service to an entry of the log. Every event becomes exactly one entry:
// what cannot be read or stored as it came is entered by its SHA-256, so that no service can hide a
// change in octets that the log refuses. Pure; any thread.

#include <string>

#include "schemas/auditor.hpp"
#include "schemas/platform.hpp"

namespace lepton::auditor {

inline constexpr std::string_view unreadable_action = "audit.unreadable";

// Where an event comes from and where it goes.
struct Place {
  std::string const& source;
  std::string const& stream;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
};

struct Translated {
  AuditEntry entry;
  std::string leaf;    // its canonical octets
  bool exact = false;  // false: parts were replaced by a hash
};

Translated translate(Place const& place, EventRecord const& record);

}  // namespace lepton::auditor
