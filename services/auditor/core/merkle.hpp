#pragma once
// The Merkle tree of the audit log: hashing and the right edge that an appender keeps.
// Source: RFC 6962 section 2.1 and RFC 9162 section 2.1. Owner: the auditor; pure, any thread.
//
// A node (level, index) is complete when all leaves [index << level, (index + 1) << level) exist;
// its hash then never changes, so it is stored once as a row. Every root and proof of every tree
// size is made from complete nodes alone.

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::auditor {

using crypto::Hash;

// Far above any log, and low enough that no shift below overflows.
inline constexpr std::uint64_t max_tree_size = std::uint64_t{1} << 62;

struct Coordinate {
  std::uint32_t level = 0;  // 0 is a leaf
  std::uint64_t index = 0;
  auto operator<=>(Coordinate const&) const = default;
};

struct Node {
  Coordinate at;
  Hash hash{};
  bool operator==(Node const&) const = default;
};

Hash empty_root();                                     // SHA-256 of nothing
Hash leaf_hash(std::string_view leaf);                 // SHA-256(0x00 || leaf)
Hash node_hash(Hash const& left, Hash const& right);   // SHA-256(0x01 || left || right)
Hash root_of_edge(std::vector<Hash> const& subtrees);  // complete subtrees, left (largest) to right

// The complete nodes whose leaves are exactly [begin, end), left to right. `begin` is a multiple of
// the smallest power of two that is at least end - begin, as it is for every subtree of a log.
std::vector<Coordinate> complete_nodes(std::uint64_t begin, std::uint64_t end);

// The right edge of a tree: one hash for each 1 bit of its size. An append costs amortised two
// hashes.
class Frontier {
 public:
  Frontier() = default;

  // The rows that restore() needs for a tree of this size, in its order.
  static std::vector<Coordinate> needed(std::uint64_t size) { return complete_nodes(0, size); }
  // invalid: the number of hashes does not fit the size.
  static Result<Frontier> restore(std::uint64_t size, std::vector<Hash> edge);

  // Adds a leaf and appends to `complete` the nodes that it makes complete: the leaf first, then
  // its parents upwards. Each complete node of the log is named by exactly one append.
  void append(Hash const& leaf, std::vector<Node>& complete);

  std::uint64_t size() const { return size_; }
  Hash root() const { return root_of_edge(edge_); }
  std::vector<Hash> const& edge() const { return edge_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> edge_;
};

}  // namespace lepton::auditor
