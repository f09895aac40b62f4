#include "services/auditor/core/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace lepton::auditor {
namespace {

// Leaves [begin, end) of one subtree; its hash is one element of a proof.
struct Range {
  std::uint64_t begin = 0, end = 0;
};

// Where RFC 6962 splits a subtree: after the largest power of two below its number of leaves.
std::uint64_t split(Range const& range) {
  return range.begin + std::bit_floor(range.end - range.begin - 1);
}

Status check_inclusion(std::uint64_t index, std::uint64_t size) {
  if (size <= max_tree_size && index < size) return ok();
  return Error{Code::invalid, fmt::format("entry {} is not in a log of {} entries; ask for an "
                                          "index below the size of the checkpoint",
                                          index, size)};
}

Status check_consistency(std::uint64_t old_size, std::uint64_t new_size) {
  if (old_size > new_size || new_size > max_tree_size)
    return Error{Code::invalid, fmt::format("a log of {} entries cannot have grown from one of {}; "
                                            "give the older checkpoint first",
                                            new_size, old_size)};
  if (old_size == 0 && new_size != 0)
    return Error{Code::invalid,
                 "every log contains the empty one, so a proof from size 0 says "
                 "nothing; keep the newer checkpoint as the first"};
  return ok();
}

// The subtrees beside the way from the leaf to the root, lowest first.
std::vector<Range> inclusion_ranges(std::uint64_t index, std::uint64_t size) {
  std::vector<Range> ranges;
  Range at{0, size};
  while (at.end - at.begin > 1) {
    auto const middle = split(at);
    Range const left{at.begin, middle}, right{middle, at.end};
    auto const goes_left = index < middle;
    ranges.push_back(goes_left ? right : left);
    at = goes_left ? left : right;
  }
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

std::vector<Range> consistency_ranges(std::uint64_t old_size, std::uint64_t new_size) {
  std::vector<Range> ranges;
  if (old_size == new_size) return ranges;
  Range at{0, new_size};
  auto holds_whole_old = true;  // the checker knows that hash: it is the older root
  while (at.end != old_size) {
    auto const middle = split(at);
    Range const left{at.begin, middle}, right{middle, at.end};
    auto const goes_left = old_size <= middle;
    ranges.push_back(goes_left ? right : left);
    holds_whole_old = holds_whole_old && goes_left;
    at = goes_left ? left : right;
  }
  if (!holds_whole_old) ranges.push_back(at);
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

std::vector<Coordinate> coordinates(std::vector<Range> const& ranges) {
  std::vector<Coordinate> all;
  for (auto const& range : ranges) {
    auto const nodes = complete_nodes(range.begin, range.end);
    all.insert(all.end(), nodes.begin(), nodes.end());
  }
  return all;
}

Result<Proof> hashes(std::vector<Range> const& ranges, NodeSource const& nodes) {
  Proof proof;
  for (auto const& range : ranges) {
    std::vector<Hash> parts;
    for (auto const& at : complete_nodes(range.begin, range.end)) {
      auto const hash = nodes(at);
      if (!hash) return hash.error();
      parts.push_back(*hash);
    }
    proof.push_back(root_of_edge(parts));
  }
  return proof;
}

// The walk both checks share: node numbers of the followed leaf and of the last leaf, level by
// level.
struct Walk {
  std::uint64_t node, last;

  void up() { node >>= 1, last >>= 1; }
  bool at_root() const { return last == 0; }
  bool sibling_is_left() const { return (node & 1) != 0 || node == last; }
  // A last node without a right neighbour moves up unhashed.
  void skip_lonely() {
    while ((node & 1) == 0 && node != 0) up();
  }
};

Error does_not_hold(std::string_view what) {
  return Error{Code::denied,
               fmt::format("the {}: the log or the proof was changed, or they belong to different "
                           "checkpoints; fetch both again and keep the evidence if it repeats",
                           what)};
}

}  // namespace

Result<Hash> NodeTable::find(Coordinate at) const {
  auto const found = nodes_.find(at);
  if (found != nodes_.end()) return found->second;
  return Error{Code::not_found, fmt::format("node {} of level {} of the audit tree is missing; its "
                                            "row was not loaded or was removed",
                                            at.index, at.level)};
}

Result<std::vector<Coordinate>> needed_for_inclusion(std::uint64_t index, std::uint64_t size) {
  if (auto const good = check_inclusion(index, size); !good) return good.error();
  return coordinates(inclusion_ranges(index, size));
}

Result<std::vector<Coordinate>> needed_for_consistency(std::uint64_t old_size,
                                                       std::uint64_t new_size) {
  if (auto const good = check_consistency(old_size, new_size); !good) return good.error();
  return coordinates(consistency_ranges(old_size, new_size));
}

Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t size, NodeSource const& nodes) {
  if (auto const good = check_inclusion(index, size); !good) return good.error();
  return hashes(inclusion_ranges(index, size), nodes);
}

Result<Proof> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                NodeSource const& nodes) {
  if (auto const good = check_consistency(old_size, new_size); !good) return good.error();
  return hashes(consistency_ranges(old_size, new_size), nodes);
}

Status verify_inclusion(Hash const& leaf, std::uint64_t index, std::uint64_t size,
                        Proof const& proof, Hash const& root) {
  if (auto const good = check_inclusion(index, size); !good) return good;
  Walk walk{index, size - 1};
  auto hash = leaf;
  for (auto const& sibling : proof) {
    if (walk.at_root()) return does_not_hold("inclusion proof is too long");
    if (walk.sibling_is_left()) {
      hash = node_hash(sibling, hash);
      walk.skip_lonely();
    } else {
      hash = node_hash(hash, sibling);
    }
    walk.up();
  }
  if (!walk.at_root()) return does_not_hold("inclusion proof is too short");
  if (hash != root) return does_not_hold("inclusion proof leads to another root");
  return ok();
}

Status verify_consistency(std::uint64_t old_size, std::uint64_t new_size, Hash const& old_root,
                          Hash const& new_root, Proof const& proof) {
  if (auto const good = check_consistency(old_size, new_size); !good) return good;
  if (old_size == new_size) {
    if (!proof.empty()) return does_not_hold("consistency proof of equal sizes is not empty");
    if (old_root != new_root) return does_not_hold("roots of logs of equal size differ");
    if (old_size == 0 && old_root != empty_root())
      return does_not_hold("root of an empty log is not the one of no entries");
    return ok();
  }
  Walk walk{old_size - 1, new_size - 1};
  while ((walk.node & 1) != 0) walk.up();
  // An older size that is a power of two is a node of the newer tree; its hash is the older root.
  auto const known = std::has_single_bit(old_size);
  if (!known && proof.empty()) return does_not_hold("consistency proof is empty");
  auto old_hash = known ? old_root : proof.front();
  auto new_hash = old_hash;
  for (std::size_t i = known ? 0 : 1; i < proof.size(); ++i) {
    if (walk.at_root()) return does_not_hold("consistency proof is too long");
    if (walk.sibling_is_left()) {
      old_hash = node_hash(proof[i], old_hash);
      new_hash = node_hash(proof[i], new_hash);
      walk.skip_lonely();
    } else {
      new_hash = node_hash(new_hash, proof[i]);
    }
    walk.up();
  }
  if (!walk.at_root()) return does_not_hold("consistency proof is too short");
  if (old_hash != old_root) return does_not_hold("consistency proof leads to another older root");
  if (new_hash != new_root) return does_not_hold("consistency proof leads to another newer root");
  return ok();
}

}  // namespace lepton::auditor
