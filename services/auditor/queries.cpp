// Reading and proving. The entry and node tables are never in memory; what a query needs of them is
// read by key.

#include <fmt/format.h>

#include "common/crypto/hash.hpp"
#include "services/auditor/auditor.hpp"
#include "services/auditor/core/entry.hpp"

namespace lepton::auditor {
namespace {

using store::Compare;

// Above every text that begins with the prefix, in the order of octets.
std::string end_of_prefix(std::string prefix) {
  return std::move(prefix += "\xF4\x8F\xBF\xBF");
}

bool is_filtered(AuditTail const& m) {
  return !(m.source.empty() && m.actor.empty() && m.action.empty() && m.resource_prefix.empty() &&
           m.outcome.empty() && m.request_id.empty() && m.since_ms == 0 && m.until_ms == 0);
}

store::Query tail_query(AuditTail const& m, std::uint64_t end) {
  store::Query query{nullptr, {}, "", false, m.limit};
  auto const add = [&query](std::string_view column, Compare compare, store::Cell value) {
    query.where.push_back({column, compare, std::move(value)});
  };
  add("sequence", Compare::greater_equal, static_cast<std::int64_t>(m.from));
  add("sequence", Compare::less, static_cast<std::int64_t>(end));
  if (!m.source.empty()) add("source", Compare::equal, m.source);
  if (!m.actor.empty()) add("actor", Compare::equal, m.actor);
  if (!m.action.empty()) add("action", Compare::equal, m.action);
  if (!m.outcome.empty()) add("outcome", Compare::equal, m.outcome);
  if (!m.request_id.empty()) add("request_id", Compare::equal, m.request_id);
  if (!m.resource_prefix.empty()) {
    add("resource", Compare::greater_equal, m.resource_prefix);
    add("resource", Compare::less, end_of_prefix(m.resource_prefix));
  }
  if (m.since_ms != 0) add("at_ms", Compare::greater_equal, m.since_ms);
  if (m.until_ms != 0) add("at_ms", Compare::less, m.until_ms);
  return query;
}

std::vector<Bytes> path_of(Proof const& proof) {
  std::vector<Bytes> path;
  for (auto const& hash : proof) path.push_back({std::string(crypto::view(hash))});
  return path;
}

Error no_entry(std::uint64_t sequence, std::uint64_t size) {
  return {Code::not_found,
          fmt::format("the log has no entry {}: it holds {}, counted from 0; `lepton audit "
                      "tail` shows them",
                      sequence, size)};
}

}  // namespace

// A filter that matches little is answered after search_max entries with what was found; `next`
// goes on there.
void Auditor::tail(AuditTail const& m, Ticket<AuditTail> ticket, Context& c) {
  auto const size = head_.size;
  if (m.from >= size) return c.answer(ticket, AuditPage{{}, size, size});
  auto const end = is_filtered(m) ? std::min(size, m.from + settings_.search_max) : size;
  c.find<EntryRow>(tail_query(m, end),
                   [this, ticket, size, end, limit = m.limit](
                       Result<std::vector<EntryRow>> const& found, Context& later) {
                     if (!found) return later.answer(ticket, found.error());
                     AuditPage page{{}, end, size};
                     for (auto const& row : *found) page.entries.push_back(entry_of(row));
                     if (page.entries.size() == limit) page.next = page.entries.back().sequence + 1;
                     later.answer(ticket, page);
                   });
}

// Reads complete nodes side by side; `then` runs once, when all are here or the first was refused.
void Auditor::fetch(std::vector<Coordinate> const& needed, Nodes then, Context& c) {
  struct Fetch {
    NodeTable nodes;
    std::size_t missing;
    Nodes then;
  };
  if (needed.empty()) return then(NodeTable{}, c);
  auto const fetch = std::make_shared<Fetch>(Fetch{{}, needed.size(), std::move(then)});
  auto const take = [fetch](Coordinate at, Result<std::vector<MerkleNodeRow>> const& found,
                            Context& later) {
    if (!fetch->then) return;
    if (!found) return std::exchange(fetch->then, nullptr)(found.error(), later);
    Hash hash{};
    for (auto const& row : *found)
      if (row.hash.data.size() == hash.size()) {
        std::copy_n(row.hash.data.begin(), hash.size(), hash.begin());
        fetch->nodes.add(at, hash);
      }
    if (--fetch->missing == 0) std::exchange(fetch->then, nullptr)(std::move(fetch->nodes), later);
  };
  for (auto const& at : needed)
    c.find<MerkleNodeRow>({nullptr,
                           {{"level", Compare::equal, std::int64_t{at.level}},
                            {"index", Compare::equal, static_cast<std::int64_t>(at.index)}},
                           "",
                           false,
                           1},
                          [take, at](Result<std::vector<MerkleNodeRow>> const& found,
                                     Context& later) { take(at, found, later); });
}

Error Auditor::changed(std::string const& what, Context& c) {
  ++changed_;
  Error const error{Code::internal,
                    what +
                        ": the stored log was changed after it was signed; keep a copy of "
                        "the database and compare it with a backup"};
  c.log(actor::Level::error, error.what);
  return error;
}

void Auditor::prove(AuditProve const& m, Ticket<AuditProve> ticket, Context& c) {
  if (m.sequence >= head_.size) return c.answer(ticket, no_entry(m.sequence, head_.size));
  auto const needed = needed_for_inclusion(m.sequence, head_.size);
  LEPTON_CHECK(needed.has_value(), "an index below the size has a proof");
  store::Query query{
      nullptr, {{"sequence", Compare::equal, static_cast<std::int64_t>(m.sequence)}}, "", false, 2};
  auto const with_nodes = [this, ticket, head = head_](
                              EntryRow const& row, Result<NodeTable> const& nodes, Context& later) {
    if (!nodes) return later.answer(ticket, nodes.error());
    auto proof = proof_of(entry_of(row), head, *nodes);
    if (proof) return later.answer(ticket, proof);
    later.answer(
        ticket,
        changed(fmt::format("entry {} does not lead to the signed root", row.sequence), later));
  };
  c.find<EntryRow>(std::move(query), [this, ticket, m, needed = *needed, with_nodes](
                                         Result<std::vector<EntryRow>> const& found,
                                         Context& later) {
    if (!found) return later.answer(ticket, found.error());
    if (found->size() != 1)
      return later.answer(
          ticket, changed(fmt::format("entry {} has {} rows", m.sequence, found->size()), later));
    fetch(
        needed,
        [row = found->front(), with_nodes](Result<NodeTable> const& nodes, Context& last) {
          with_nodes(row, nodes, last);
        },
        later);
  });
}

// Checked before it is given out: whoever asks learns of a changed row at once.
Result<AuditProof> Auditor::proof_of(AuditEntry entry, Head const& head, NodeTable const& nodes) {
  auto leaf = leaf_bytes(entry);
  if (!leaf) return leaf.error();
  auto const index = entry.sequence;
  auto const proof = inclusion_proof(index, head.size, nodes.source());
  if (!proof) return proof.error();
  if (auto good = verify_inclusion(leaf_hash(*leaf), index, head.size, *proof, head.root); !good)
    return good.error();
  return AuditProof{std::move(entry), {std::move(*leaf)}, index,
                    head.size,        path_of(*proof),    head.checkpoint};
}

Result<AuditCheckpointText> Auditor::checkpoint(AuditCheckpoint const&, Context&) {
  return AuditCheckpointText{head_.checkpoint, note_key_.text()};
}

void Auditor::consistency(AuditConsistency const& m, Ticket<AuditConsistency> ticket, Context& c) {
  auto const new_size = m.new_size == 0 ? head_.size : m.new_size;
  if (new_size == head_.size)
    return consistency_at(m.old_size, new_size, head_.checkpoint, ticket, c);
  store::Query query{
      nullptr, {{"size", Compare::equal, static_cast<std::int64_t>(new_size)}}, "", false, 1};
  if (new_size > head_.size) return c.answer(ticket, no_entry(new_size - 1, head_.size));
  c.find<CheckpointRow>(std::move(query), [this, ticket, m](
                                              Result<std::vector<CheckpointRow>> const& found,
                                              Context& later) {
    if (!found) return later.answer(ticket, found.error());
    if (found->empty())
      return later.answer(
          ticket, Error{Code::not_found, fmt::format("no checkpoint was signed at size {}; leave "
                                                     "the newer size out for the newest one",
                                                     m.new_size)});
    consistency_at(m.old_size, m.new_size, found->front().text, ticket, later);
  });
}

void Auditor::consistency_at(std::uint64_t old_size, std::uint64_t new_size, std::string checkpoint,
                             Ticket<AuditConsistency> ticket, Context& c) {
  auto const needed = needed_for_consistency(old_size, new_size);
  if (!needed) return c.answer(ticket, needed.error());
  auto const then = [this, old_size, new_size, checkpoint = std::move(checkpoint), ticket](
                        Result<NodeTable> const& nodes, Context& later) {
    if (!nodes) return later.answer(ticket, nodes.error());
    auto const proof = consistency_proof(old_size, new_size, nodes->source());
    if (!proof) return later.answer(ticket, changed(proof.error().what, later));
    later.answer(ticket, AuditConsistencyProof{old_size, new_size, path_of(*proof), checkpoint});
  };
  fetch(*needed, then, c);
}

}  // namespace lepton::auditor
