#pragma once
// The rows of the auditor (schemas/sql/auditor). Entries, nodes and checkpoints are only ever
// added: the service's role cannot change or remove them. Times are wall ms.

#include "common/base/bytes.hpp"
#include "schemas/auditor.hpp"

namespace lepton::auditor {

// One leaf of the log. Its detail is text and not a document of PostgreSQL, because the leaf's hash
// is over its exact octets. The time is part of the key because it chooses the month's partition.
struct EntryRow {
  static constexpr std::string_view table = "entry";
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

  static consteval auto fields() {
    using schema::field;
    using R = EntryRow;
    return schema::fields(
        field(1, "sequence", &R::sequence, "Place in the log, from 0.").key(),
        field(2, "source", &R::source, "Service that made the change."),
        field(3, "stream", &R::stream, "Its stream."), field(4, "epoch", &R::epoch, "Epoch of it."),
        field(5, "source_seq", &R::source_seq, "Number of the event in it."),
        field(6, "at_ms", &R::at_ms, "When it happened, ms since 1970.").key(),
        field(7, "actor", &R::actor, "Who asked."),
        field(8, "action", &R::action, "What was asked."),
        field(9, "resource", &R::resource, "Of what."),
        field(10, "outcome", &R::outcome, "done, denied or failed."),
        field(11, "request_id", &R::request_id, "Request that caused it."),
        field(12, "detail", &R::detail, "JSON object of further facts, as it was hashed."));
  }
};
static_assert(schema::complete<EntryRow>());

inline EntryRow row_of(AuditEntry const& e) {
  return {e.sequence, e.source, e.stream,   e.epoch,   e.source_seq, e.at_ms,
          e.actor,    e.action, e.resource, e.outcome, e.request_id, e.detail};
}
inline AuditEntry entry_of(EntryRow const& r) {
  return {r.sequence, r.source, r.stream,   r.epoch,   r.source_seq, r.at_ms,
          r.actor,    r.action, r.resource, r.outcome, r.request_id, r.detail};
}

// A complete node of the tree; its hash never changes.
struct MerkleNodeRow {
  static constexpr std::string_view table = "merkle_node";
  std::uint32_t level = 0;
  std::uint64_t index = 0;
  Bytes hash;

  static consteval auto fields() {
    using schema::field;
    using R = MerkleNodeRow;
    return schema::fields(field(1, "level", &R::level, "0 is a leaf.").key(),
                          field(2, "index", &R::index, "Place within the level, from 0.").key(),
                          field(3, "hash", &R::hash, "32 octets."));
  }
};
static_assert(schema::complete<MerkleNodeRow>());

// Every checkpoint that was ever signed.
struct CheckpointRow {
  static constexpr std::string_view table = "checkpoint";
  std::uint64_t size = 0;
  std::string text;
  WallMs at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = CheckpointRow;
    return schema::fields(field(1, "size", &R::size, "Entries that it speaks of.").key(),
                          field(2, "text", &R::text, "Signed note."),
                          field(3, "at_ms", &R::at_ms, "When it was signed, ms since 1970."));
  }
};
static_assert(schema::complete<CheckpointRow>());

// The one row that a new life of the appender begins with.
struct HeadRow {
  static constexpr std::string_view table = "head";
  std::int64_t id = 0;
  std::uint64_t size = 0;
  Bytes edge;
  std::string checkpoint;

  static consteval auto fields() {
    using schema::field;
    using R = HeadRow;
    return schema::fields(
        field(1, "id", &R::id, "Always 0.").key(),
        field(2, "size", &R::size, "Entries in the log."),
        field(3, "edge", &R::edge, "Right edge of the tree: 32 octets for each 1 bit of the size."),
        field(4, "checkpoint", &R::checkpoint, "Signed note over size and root."));
  }
};
static_assert(schema::complete<HeadRow>());

}  // namespace lepton::auditor
