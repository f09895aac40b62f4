#pragma once
// Checks of the audit log on the client's side, with nothing trusted but one key and the
// checkpoints kept from before: every entry is hashed again (RFC 6962), the root compared with the
// signed one, and older checkpoints proved to be a part of it. Errors: denied (what was shown does
// not hold; the sentence says what), invalid (cannot be read), or those of the source. Pure but for
// the source; one thread.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/audit/log_source.hpp"
#include "services/auditor/core/checkpoint.hpp"

namespace lepton::cli {

// What is known of a log from before: trusted on first use, and from then on only extended.
struct Trust {
  std::string public_key;  // verifier key of the log; empty: none seen yet
  std::string checkpoint;  // the newest that was verified; may be empty

  bool operator==(Trust const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "public_key", &Trust::public_key, "Verifier key of the log."),
        field(2, "checkpoint", &Trust::checkpoint, "The newest checkpoint that was verified."));
  }
};
static_assert(schema::complete<Trust>());

struct VerifyReport {
  std::string origin;
  std::uint64_t entries = 0;
  std::string root;
  std::uint64_t sources = 0;
  bool first_use = false;
  std::vector<std::string> checked;

  static consteval auto fields() {
    using schema::field;
    using R = VerifyReport;
    return schema::fields(
        field(1, "origin", &R::origin, "Name of the log."),
        field(2, "entries", &R::entries, "Entries that were hashed again."),
        field(3, "root", &R::root, "Root of the tree over them, hexadecimal."),
        field(4, "sources", &R::sources, "Streams of services that the entries come from."),
        field(5, "first_use", &R::first_use,
              "The key was not known before and is trusted from now on."),
        field(6, "checked", &R::checked, "What was checked, a line each."));
  }
};
static_assert(schema::complete<VerifyReport>());

struct Verified {
  VerifyReport report;
  Trust trust;  // to keep for the next time
};

using Progress = std::function<void(std::uint64_t done, std::uint64_t size)>;

// `also` is a further checkpoint that must be a part of the log (kept by a person); may be empty.
Result<Verified> verify_log(LogSource const& source, Trust const& trust, std::string const& also,
                            Progress const& progress);

// That the proof shows the entry `sequence` in a log signed by the verifier key `key`.
Result<auditor::Checkpoint> verify_entry(AuditProof const& proof, std::uint64_t sequence,
                                         std::string const& key);

}  // namespace lepton::cli
