#pragma once
// Proofs about the audit log: an entry is in it (inclusion), a newer log only added to an older one
// (consistency). Made from stored complete nodes, checked with two roots and nothing else.
// Source: RFC 6962 section 2.1.1 and 2.1.2 (making), RFC 9162 section 2.1.3.2 and 2.1.4.2
// (checking). Owner: the auditor and every client that checks it; pure, any thread. Errors: invalid
// (sizes or index that no proof can have), denied (a proof that does not hold), or what the
// NodeSource answers.

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "common/base/result.hpp"
#include "services/auditor/core/merkle.hpp"

namespace lepton::auditor {

using Proof = std::vector<Hash>;

// The hash of a complete node. Fetch all needed_for_...() in one query and answer from a NodeTable.
using NodeSource = std::function<Result<Hash>(Coordinate)>;

class NodeTable {
 public:
  void add(Coordinate at, Hash const& hash) { nodes_.insert_or_assign(at, hash); }
  void add(std::vector<Node> const& nodes) {
    for (auto const& node : nodes) add(node.at, node.hash);
  }
  Result<Hash> find(Coordinate at) const;  // not_found: the row was not loaded or is gone
  NodeSource source() const {              // valid while this table is
    return [this](Coordinate at) { return find(at); };
  }

 private:
  std::map<Coordinate, Hash> nodes_;
};

// All coordinates lie inside a log of the newer size; none stands twice.
Result<std::vector<Coordinate>> needed_for_inclusion(std::uint64_t index, std::uint64_t size);
Result<std::vector<Coordinate>> needed_for_consistency(std::uint64_t old_size,
                                                       std::uint64_t new_size);

Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t size, NodeSource const& nodes);
Result<Proof> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                NodeSource const& nodes);

Status verify_inclusion(Hash const& leaf, std::uint64_t index, std::uint64_t size,
                        Proof const& proof, Hash const& root);

// Equal sizes need an empty proof and equal roots (of an empty log: its fixed root). An older size
// of 0 with a larger newer one is refused: every log contains the empty one, so it would prove
// nothing.
Status verify_consistency(std::uint64_t old_size, std::uint64_t new_size, Hash const& old_root,
                          Hash const& new_root, Proof const& proof);

}  // namespace lepton::auditor
