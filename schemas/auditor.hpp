#pragma once
// Messages of the auditor: reading the log of changes, and proving what was read. Entries carry no
// secrets: their writers redact before they send. Times are wall ms, sequences count from 0.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton {

// One change, secret read or denial. (source, stream, epoch, source_seq) names it once and for
// ever.
struct AuditEntry {
  std::uint64_t sequence = 0;
  std::string source;
  std::string stream;
  std::uint64_t epoch = 0;
  std::uint64_t source_seq = 0;
  WallMs at_ms = 0;
  std::string actor;
  std::string action;
  std::string resource;
  std::string outcome;
  std::string request_id;
  std::string detail;

  bool operator==(AuditEntry const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using E = AuditEntry;
    return schema::fields(
        field(1, "sequence", &E::sequence, "Place in the log, from 0; the index of its leaf.")
            .key(),
        field(2, "source", &E::source, "Service that made the change."),
        field(3, "stream", &E::stream, "Stream of that service's events."),
        field(4, "epoch", &E::epoch, "Epoch of the stream; rises when another instance leads."),
        field(5, "source_seq", &E::source_seq, "Number of the event in its stream and epoch."),
        field(6, "at_ms", &E::at_ms, "When it happened, by the source, ms since 1970."),
        field(7, "actor", &E::actor, "Subject who asked, as authenticated."),
        field(8, "action", &E::action, "What was asked: the topic of the request."),
        field(9, "resource", &E::resource, "Path of what it was asked of."),
        field(10, "outcome", &E::outcome, "done, denied or failed."),
        field(11, "request_id", &E::request_id, "Request that caused it."),
        field(12, "detail", &E::detail, "JSON object of further fields, redacted by the source."));
  }
};
static_assert(schema::complete<AuditEntry>());

// Entries after a place, oldest first. An empty filter field matches everything.
struct AuditPage {
  std::vector<AuditEntry> entries;
  std::uint64_t next = 0;
  std::uint64_t size = 0;

  bool operator==(AuditPage const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = AuditPage;
    return schema::fields(
        field(1, "entries", &P::entries, "Matching entries by rising sequence."),
        field(2, "next", &P::next, "Value of `from` for the next page; equals size at the end."),
        field(3, "size", &P::size, "Entries in the log now."));
  }
};
static_assert(schema::complete<AuditPage>());

struct AuditTail {
  static constexpr std::string_view topic = "auditor.audit.tail";
  static constexpr Verb verb = Verb::read;
  using Reply = AuditPage;
  std::uint64_t from = 0;
  std::uint32_t limit = 100;
  std::string source;
  std::string actor;
  std::string action;
  std::string resource_prefix;
  std::string outcome;
  std::string request_id;
  WallMs since_ms = 0;
  WallMs until_ms = 0;

  std::string resource() const { return "audit"; }
  bool operator==(AuditTail const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = AuditTail;
    return schema::fields(
        field(1, "from", &T::from, "First sequence to look at.").optional(),
        field(2, "limit", &T::limit, "Most entries to return.").bounds(1, 1000).optional(),
        field(3, "source", &T::source, "Only of this service.").optional(),
        field(4, "actor", &T::actor, "Only by this subject.").optional(),
        field(5, "action", &T::action, "Only this action.").optional(),
        field(6, "resource_prefix", &T::resource_prefix,
              "Only resources that begin with this path.")
            .optional(),
        field(7, "outcome", &T::outcome, "Only this outcome.").optional(),
        field(8, "request_id", &T::request_id, "Only of this request.").optional(),
        field(9, "since_ms", &T::since_ms, "Not before this time, ms since 1970.").optional(),
        field(10, "until_ms", &T::until_ms, "Before this time, ms since 1970; 0 means no end.")
            .optional());
  }
};
static_assert(schema::complete<AuditTail>());

// Everything needed to check, without trusting the auditor, that the entry is in the log.
struct AuditProof {
  AuditEntry entry;
  Bytes leaf;
  std::uint64_t index = 0;
  std::uint64_t size = 0;
  std::vector<Bytes> path;
  std::string checkpoint;

  bool operator==(AuditProof const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = AuditProof;
    return schema::fields(
        field(1, "entry", &P::entry, "The entry."),
        field(2, "leaf", &P::leaf, "Its canonical octets, which the leaf hash is over."),
        field(3, "index", &P::index, "Index of the leaf; equals the sequence."),
        field(4, "size", &P::size, "Entries in the log that the path leads to the root of."),
        field(5, "path", &P::path, "Inclusion proof: hashes of 32 octets, lowest first."),
        field(6, "checkpoint", &P::checkpoint, "Signed note over that size and root."));
  }
};
static_assert(schema::complete<AuditProof>());

struct AuditProve {
  static constexpr std::string_view topic = "auditor.audit.prove";
  static constexpr Verb verb = Verb::read;
  using Reply = AuditProof;
  std::uint64_t sequence = 0;

  std::string resource() const { return "audit"; }
  bool operator==(AuditProve const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "sequence", &AuditProve::sequence, "The entry to prove."));
  }
};
static_assert(schema::complete<AuditProve>());

struct AuditCheckpointText {
  std::string text;
  std::string public_key;

  bool operator==(AuditCheckpointText const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using C = AuditCheckpointText;
    return schema::fields(field(1, "text", &C::text,
                                "Signed note: origin, size, root; keep it to check the log later."),
                          field(2, "public_key", &C::public_key,
                                "Verifier key NAME+ID+KEY; trust one that came another way."));
  }
};
static_assert(schema::complete<AuditCheckpointText>());

// The newest checkpoint.
struct AuditCheckpoint {
  static constexpr std::string_view topic = "auditor.audit.checkpoint";
  static constexpr Verb verb = Verb::read;
  using Reply = AuditCheckpointText;

  std::string resource() const { return "audit"; }
  bool operator==(AuditCheckpoint const&) const = default;
  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<AuditCheckpoint>());

struct AuditConsistencyProof {
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;
  std::vector<Bytes> path;
  std::string checkpoint;

  bool operator==(AuditConsistencyProof const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using P = AuditConsistencyProof;
    return schema::fields(
        field(1, "old_size", &P::old_size, "Entries in the older log."),
        field(2, "new_size", &P::new_size, "Entries in the newer log."),
        field(3, "path", &P::path, "Consistency proof: hashes of 32 octets, in order of use."),
        field(4, "checkpoint", &P::checkpoint, "Signed note over the newer size and root."));
  }
};
static_assert(schema::complete<AuditConsistencyProof>());

// Proves that the log at new_size only added to the log at old_size.
struct AuditConsistency {
  static constexpr std::string_view topic = "auditor.audit.consistency";
  static constexpr Verb verb = Verb::read;
  using Reply = AuditConsistencyProof;
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;

  std::string resource() const { return "audit"; }
  bool operator==(AuditConsistency const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using C = AuditConsistency;
    return schema::fields(
        field(1, "old_size", &C::old_size, "Entries in the checkpoint that the caller holds."),
        field(2, "new_size", &C::new_size,
              "Entries in the newer one; 0 means the newest checkpoint.")
            .optional());
  }
};
static_assert(schema::complete<AuditConsistency>());

}  // namespace lepton
