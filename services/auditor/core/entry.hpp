#pragma once
// Canonical octets of an audit entry: what its leaf hash is over. One entry has one encoding, and
// one encoding has one entry, so that a row cannot be read two ways under one hash. Pure, any
// thread.
//
//   "lepton-audit-entry/1" LF, then for each field by rising id:
//   id (2 octets) || length (4 octets) || value; integers are 8 octets; all big endian, text as it
//   is
//
// A field that was added later (since) is left out while it has its default: old entries keep their
// hash. Errors: invalid, with the place.

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "schemas/auditor.hpp"
#include "services/auditor/core/merkle.hpp"

namespace lepton::auditor {

inline constexpr std::size_t max_leaf_bytes = 64 * 1024;

// invalid: the entry is above max_leaf_bytes.
Result<std::string> leaf_bytes(AuditEntry const& entry);
// Accepts exactly what leaf_bytes() writes.
Result<AuditEntry> parse_leaf(std::string_view leaf);

}  // namespace lepton::auditor
