#include "services/auditor/core/merkle.hpp"

#include <fmt/format.h>

#include <bit>

namespace lepton::auditor {
namespace {

constexpr std::string_view leaf_prefix{"\0", 1};
constexpr std::string_view node_prefix{"\1", 1};

// Contexts are expensive to make; finish() readies one for the next hash.
crypto::Sha256& hasher() {
  thread_local crypto::Sha256 sha;
  return sha;
}

}  // namespace

Hash empty_root() {
  return crypto::sha256("");
}

Hash leaf_hash(std::string_view leaf) {
  return hasher().update(leaf_prefix).update(leaf).finish();
}

Hash node_hash(Hash const& left, Hash const& right) {
  return hasher()
      .update(node_prefix)
      .update(crypto::view(left))
      .update(crypto::view(right))
      .finish();
}

Hash root_of_edge(std::vector<Hash> const& subtrees) {
  if (subtrees.empty()) return empty_root();
  auto root = subtrees.back();
  for (auto i = subtrees.size() - 1; i-- > 0;) root = node_hash(subtrees[i], root);
  return root;
}

std::vector<Coordinate> complete_nodes(std::uint64_t begin, std::uint64_t end) {
  LEPTON_CHECK(begin <= end && end <= max_tree_size, "a range of leaves lies inside the log");
  std::vector<Coordinate> nodes;
  while (begin < end) {
    auto const level = static_cast<std::uint32_t>(std::bit_width(end - begin) - 1);
    auto const width = std::uint64_t{1} << level;
    LEPTON_CHECK(begin % width == 0, "a subtree begins at a multiple of its width");
    nodes.push_back({level, begin >> level});
    begin += width;
  }
  return nodes;
}

Result<Frontier> Frontier::restore(std::uint64_t size, std::vector<Hash> edge) {
  auto const wanted = static_cast<std::size_t>(std::popcount(size));
  if (size > max_tree_size || edge.size() != wanted)
    return Error{Code::invalid,
                 fmt::format("a log of {} entries has an edge of {} hashes, found {}: stored nodes "
                             "are missing or the size is wrong, compare with an older checkpoint",
                             size, wanted, edge.size())};
  Frontier frontier;
  frontier.size_ = size;
  frontier.edge_ = std::move(edge);
  return frontier;
}

void Frontier::append(Hash const& leaf, std::vector<Node>& complete) {
  LEPTON_CHECK(size_ < max_tree_size, "the audit log is full");
  Node node{{0, size_}, leaf};
  complete.push_back(node);
  // Each trailing 1 bit of the size is a finished left neighbour that the new node closes.
  for (auto rest = size_; (rest & 1) != 0; rest >>= 1) {
    node = {{node.at.level + 1, node.at.index >> 1}, node_hash(edge_.back(), node.hash)};
    edge_.pop_back();
    complete.push_back(node);
  }
  edge_.push_back(node.hash);
  ++size_;
}

}  // namespace lepton::auditor
