#include "services/auditor/core/proof.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <set>

#include "tests/services/auditor_core/reference.hpp"

namespace lepton::auditor {
namespace {

using namespace testing;

constexpr std::size_t full = 70;      // every pair of sizes up to here
constexpr std::size_t large = 5'000;  // chosen pairs up to here

StoredLog const& small_log() {
  static StoredLog const log(full);
  return log;
}

StoredLog const& large_log() {
  static StoredLog const log(large);
  return log;
}

Hash leaf(std::uint64_t index) {
  return leaf_hash("entry " + std::to_string(index));
}

Hash flipped(Hash hash, std::size_t bit) {
  hash[bit / 8 % hash.size()] ^= static_cast<unsigned char>(1u << (bit % 8));
  return hash;
}

TEST(Inclusion, EqualsTheReferenceForAllSizesAndIndexes) {
  auto const all = leaves(full);
  for (std::size_t size = 1; size <= full; ++size)
    for (std::size_t index = 0; index < size; ++index) {
      auto const proof = inclusion_proof(index, size, small_log().nodes.source());
      ASSERT_TRUE(proof);
      ASSERT_EQ(*proof, path(index, part(all, 0, size))) << index << " of " << size;
      ASSERT_TRUE(verify_inclusion(leaf(index), index, size, *proof, small_log().roots[size]));
    }
}

TEST(Consistency, EqualsTheReferenceForAllPairsOfSizes) {
  auto const all = leaves(full);
  for (std::size_t n = 1; n <= full; ++n)
    for (std::size_t m = 1; m <= n; ++m) {
      auto const proof = consistency_proof(m, n, small_log().nodes.source());
      ASSERT_TRUE(proof);
      ASSERT_EQ(*proof, subproof(m, part(all, 0, n), true)) << m << " to " << n;
      ASSERT_TRUE(verify_consistency(m, n, small_log().roots[m], small_log().roots[n], *proof));
    }
}

TEST(Proofs, NeedExactlyTheNodesTheyName) {
  for (std::uint64_t n = 1; n <= full; ++n)
    for (std::uint64_t m = 1; m <= n; ++m) {
      for (bool const inclusion : {true, false}) {
        auto const needed =
            inclusion ? needed_for_inclusion(m - 1, n) : needed_for_consistency(m, n);
        std::set<Coordinate> const named(needed->begin(), needed->end());
        EXPECT_EQ(named.size(), needed->size());
        std::set<Coordinate> asked;
        NodeSource const watch = [&](Coordinate at) -> Result<Hash> {
          asked.insert(at);
          EXPECT_LE((at.index + 1) << at.level, n);
          return small_log().nodes.find(at);
        };
        ASSERT_TRUE(inclusion ? inclusion_proof(m - 1, n, watch) : consistency_proof(m, n, watch));
        EXPECT_EQ(asked, named);
      }
    }
}

TEST(Proofs, SayWhichNodeIsMissing) {
  NodeTable const empty;
  EXPECT_EQ(inclusion_proof(3, 8, empty.source()).error().code, Code::not_found);
  EXPECT_EQ(consistency_proof(3, 8, empty.source()).error().code, Code::not_found);
  EXPECT_TRUE(inclusion_proof(0, 1, empty.source())->empty());
}

TEST(Proofs, RefuseSizesThatNoProofCanHave) {
  auto const source = small_log().nodes.source();
  auto const huge = ~std::uint64_t{0};
  EXPECT_EQ(inclusion_proof(0, 0, source).error().code, Code::invalid);
  EXPECT_EQ(inclusion_proof(5, 5, source).error().code, Code::invalid);
  EXPECT_EQ(needed_for_inclusion(huge - 1, huge).error().code, Code::invalid);
  EXPECT_EQ(consistency_proof(6, 5, source).error().code, Code::invalid);
  EXPECT_EQ(consistency_proof(0, 5, source).error().code, Code::invalid);
  EXPECT_EQ(needed_for_consistency(5, huge).error().code, Code::invalid);
  EXPECT_TRUE(consistency_proof(0, 0, source)->empty());
}

TEST(Consistency, EdgesOfTheEmptyLog) {
  auto const root = small_log().roots[5];
  EXPECT_TRUE(verify_consistency(0, 0, empty_root(), empty_root(), {}));
  EXPECT_FALSE(verify_consistency(0, 0, root, root, {}));
  EXPECT_FALSE(verify_consistency(0, 0, empty_root(), empty_root(), {root}));
  EXPECT_FALSE(verify_consistency(0, 5, empty_root(), root, {}));
  EXPECT_FALSE(verify_consistency(5, 5, root, root, {root}));
  EXPECT_FALSE(verify_consistency(5, 5, root, small_log().roots[6], {}));
  EXPECT_FALSE(verify_consistency(5, 4, root, small_log().roots[4], {}));
}

// Every way to change a proof must make it fail.
TEST(Inclusion, AnyChangeIsRefused) {
  for (std::size_t size = 1; size <= 40; ++size)
    for (std::size_t index = 0; index < size; ++index) {
      auto const good = *inclusion_proof(index, size, small_log().nodes.source());
      auto const root = small_log().roots[size];
      auto const refused = [&](Hash const& l, std::uint64_t i, std::uint64_t n, Proof const& p,
                               Hash const& r) { return !verify_inclusion(l, i, n, p, r); };
      auto longer = good, doubled = good;
      longer.push_back(root);
      doubled.insert(doubled.begin(), leaf(index));
      EXPECT_TRUE(refused(leaf(index), index, size, longer, root));
      EXPECT_TRUE(refused(leaf(index), index, size, doubled, root));
      EXPECT_TRUE(refused(flipped(leaf(index), index), index, size, good, root));
      EXPECT_TRUE(refused(leaf(index), index, size, good, flipped(root, size)));
      for (std::uint64_t other = 0; other < size; ++other)
        EXPECT_EQ(refused(leaf(index), other, size, good, root), other != index);
      for (std::size_t i = 0; i < good.size(); ++i) {
        auto bent = good, cut = good;
        bent[i] = flipped(bent[i], index + i);
        cut.erase(cut.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_TRUE(refused(leaf(index), index, size, bent, root));
        EXPECT_TRUE(refused(leaf(index), index, size, cut, root));
      }
    }
}

TEST(Consistency, AnyChangeIsRefused) {
  for (std::size_t n = 2; n <= 40; ++n)
    for (std::size_t m = 1; m < n; ++m) {
      auto const good = *consistency_proof(m, n, small_log().nodes.source());
      auto const old_root = small_log().roots[m], new_root = small_log().roots[n];
      auto const refused = [&](Proof const& p) {
        return !verify_consistency(m, n, old_root, new_root, p);
      };
      auto longer = good;
      longer.push_back(new_root);
      EXPECT_TRUE(refused(longer));
      EXPECT_TRUE(refused({}));
      EXPECT_FALSE(verify_consistency(m, n, flipped(old_root, m), new_root, good));
      EXPECT_FALSE(verify_consistency(m, n, old_root, flipped(new_root, n), good));
      EXPECT_FALSE(verify_consistency(m, n, new_root, old_root, good));
      for (std::size_t i = 0; i < good.size(); ++i) {
        auto bent = good, cut = good;
        bent[i] = flipped(bent[i], m + i);
        cut.erase(cut.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_TRUE(refused(bent));
        EXPECT_TRUE(refused(cut));
      }
    }
}

// A proof inside the right half of a log, with one more hash, leads to the real root: only its
// length tells that the smaller size and index are a lie.
TEST(Proofs, OfTheRightHalfAreNotProofsOfASmallerLog) {
  for (std::size_t n = 2; n <= full; ++n) {
    auto const half = largest_power_below(n);
    for (auto m = half; m < n; ++m) {
      auto const inclusion = *inclusion_proof(m, n, small_log().nodes.source());
      EXPECT_FALSE(verify_inclusion(leaf(m), m - half, n - half, inclusion, small_log().roots[n]));
      if (m == half) continue;
      auto const consistency = *consistency_proof(m, n, small_log().nodes.source());
      EXPECT_FALSE(verify_consistency(m - half, n - half, small_log().roots[m],
                                      small_log().roots[n], consistency));
    }
  }
}

RC_GTEST_PROP(Proofs, HoldInALargeLog, ()) {
  auto const n = *rc::gen::inRange<std::uint64_t>(1, large + 1);
  auto const m = *rc::gen::inRange<std::uint64_t>(1, n + 1);
  auto const& log = large_log();
  auto const inclusion = inclusion_proof(m - 1, n, log.nodes.source());
  RC_ASSERT(inclusion->size() <= static_cast<std::size_t>(std::bit_width(n)));
  RC_ASSERT(verify_inclusion(leaf(m - 1), m - 1, n, *inclusion, log.roots[n]).has_value());
  auto const consistency = consistency_proof(m, n, log.nodes.source());
  RC_ASSERT(verify_consistency(m, n, log.roots[m], log.roots[n], *consistency).has_value());
  // Another size with the same proof must not pass.
  auto const other = *rc::gen::inRange<std::uint64_t>(1, large + 1);
  if (other != n) {
    RC_ASSERT(!verify_inclusion(leaf(m - 1), m - 1, other, *inclusion, log.roots[other]));
    RC_ASSERT(!verify_inclusion(leaf(m - 1), m - 1, n, *inclusion, log.roots[other]));
  }
  if (other != m && other <= n)
    RC_ASSERT(!verify_consistency(other, n, log.roots[m], log.roots[n], *consistency));
}

// Sizes near the limit: nothing overflows, and the number of nodes stays logarithmic.
RC_GTEST_PROP(Proofs, NeedFewNodesAtAnySize, ()) {
  auto const n = *rc::gen::inRange<std::uint64_t>(1, max_tree_size);
  auto const m = *rc::gen::inRange<std::uint64_t>(1, n + 1);
  for (auto const& needed : {needed_for_inclusion(m - 1, n), needed_for_consistency(m, n)}) {
    RC_ASSERT(needed->size() <= 2u * 63u);
    for (auto const& at : *needed) RC_ASSERT(((at.index + 1) << at.level) <= n);
  }
}

}  // namespace
}  // namespace lepton::auditor
