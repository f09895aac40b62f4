#include "services/auditor/core/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "common/base/text.hpp"
#include "tests/services/auditor_core/reference.hpp"

namespace lepton::auditor {
namespace {

using namespace testing;

std::string hex(Hash const& hash) {
  return text::hex(crypto::view(hash));
}

TEST(Merkle, KnownHashes) {
  EXPECT_EQ(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // The leaf hash of an empty entry, RFC 6962's first test value: SHA-256 of one zero octet.
  EXPECT_EQ(hex(leaf_hash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(Merkle, LeafAndNodeHashesDiffer) {
  auto const a = leaf_hash("a"), b = leaf_hash("b");
  EXPECT_NE(node_hash(a, b), leaf_hash(raw(a) + raw(b)));
  EXPECT_NE(node_hash(a, b), node_hash(b, a));
}

TEST(Frontier, RootIsTheReferenceAtEverySize) {
  StoredLog const log(130);
  for (std::size_t size = 0; size <= 130; ++size)
    EXPECT_EQ(log.roots[size], mth(leaves(size))) << size;
}

TEST(Frontier, EachCompleteNodeIsNamedOnceWithItsHash) {
  std::size_t const count = 70;
  StoredLog const log(count);
  std::set<Coordinate> named;
  auto const all = leaves(count);
  for (auto const& node : log.all) {
    EXPECT_TRUE(named.insert(node.at).second);
    auto const begin = node.at.index << node.at.level;
    auto const end = (node.at.index + 1) << node.at.level;
    ASSERT_LE(end, count);
    EXPECT_EQ(node.hash, mth(part(all, begin, end)));
  }
  std::size_t expected = 0;
  for (std::size_t width = 1; width <= count; width *= 2) expected += count / width;
  EXPECT_EQ(named.size(), expected);
}

TEST(Frontier, NodesAreFinalExactlyWhenTheirLastLeafArrives) {
  Frontier frontier;
  for (std::uint64_t i = 0; i < 64; ++i) {
    std::vector<Node> complete;
    frontier.append(leaf_hash("x"), complete);
    ASSERT_EQ(complete.size(), static_cast<std::size_t>(std::countr_one(i)) + 1);
    for (auto const& node : complete) EXPECT_EQ(((node.at.index + 1) << node.at.level) - 1, i);
  }
}

TEST(Frontier, RestoresFromStoredRowsAtEverySizeAndGoesOn) {
  StoredLog const log(70);
  for (std::uint64_t size = 0; size < 70; ++size) {
    std::vector<Hash> edge;
    for (auto const& at : Frontier::needed(size)) edge.push_back(*log.nodes.find(at));
    auto restored = Frontier::restore(size, edge);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->root(), log.roots[size]);
    std::vector<Node> complete;
    restored->append(leaf_hash("entry " + std::to_string(size)), complete);
    EXPECT_EQ(restored->root(), log.roots[size + 1]);
    EXPECT_EQ(restored->size(), size + 1);
  }
}

TEST(Frontier, RefusesAnEdgeThatDoesNotFitItsSize) {
  EXPECT_EQ(Frontier::restore(3, {Hash{}}).error().code, Code::invalid);
  EXPECT_EQ(Frontier::restore(0, {Hash{}}).error().code, Code::invalid);
  EXPECT_EQ(Frontier::restore(~std::uint64_t{0}, std::vector<Hash>(64)).error().code,
            Code::invalid);
}

}  // namespace
}  // namespace lepton::auditor
