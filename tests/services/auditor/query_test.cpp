// Reading and proving: what the auditor hands out is checked with nothing but the core and a
// verifier key.

#include "tests/services/auditor/rig.hpp"

namespace lepton::auditor::testing {
namespace {

Proof proof_of(std::vector<Bytes> const& path) {
  Proof proof;
  for (auto const& bytes : path) {
    auto& hash = proof.emplace_back();
    EXPECT_EQ(bytes.data.size(), hash.size());
    std::copy_n(bytes.data.begin(), hash.size(), hash.begin());
  }
  return proof;
}

struct QueryTest : AuditorTest {
  NoteKey key = *NoteKey::create(origin, auditor_settings.key.public_key());

  void fill(int count) {
    for (int i = 0; i < count; ++i) {
      auto e = event(i % 2 ? "ann" : "bob", i % 3 ? "vault.secret.get" : "vault.secret.put",
                     "secret/ml/" + std::to_string(i),
                     i % 5 ? AuditOutcome::done : AuditOutcome::denied);
      e.at_ms += i * 1'000;
      e.request_id = "r" + std::to_string(i);
      feeds["vault"].add(e);
    }
  }
  std::vector<std::uint64_t> found(AuditTail const& tail) {
    auto const page = query(tail);
    EXPECT_TRUE(page) << page.error().what;
    std::vector<std::uint64_t> all;
    if (!page) return all;
    next = page->next;
    EXPECT_EQ(page->size, entries().size());
    for (auto const& entry : page->entries) all.push_back(entry.sequence);
    return all;
  }
  std::uint64_t next = 0;
};

using Found = std::vector<std::uint64_t>;

TEST_F(QueryTest, EveryEntryProvesItself) {
  auditor_settings.page_max = 4;
  fill(23);
  boot();
  for (std::uint64_t i = 0; i < 23; ++i) {
    auto const proof = query(AuditProve{i});
    ASSERT_TRUE(proof) << proof.error().what;
    auto const signed_state = open_checkpoint(proof->checkpoint, key);
    ASSERT_TRUE(signed_state);
    EXPECT_EQ(signed_state->size, 23u);
    EXPECT_EQ(proof->index, i);
    EXPECT_EQ(proof->leaf.data, *leaf_bytes(proof->entry));
    EXPECT_EQ(proof->entry.request_id, "r" + std::to_string(i));
    auto const good = verify_inclusion(leaf_hash(proof->leaf.data), i, proof->size,
                                       proof_of(proof->path), signed_state->root);
    EXPECT_TRUE(good) << i;
  }
  EXPECT_EQ(query(AuditProve{23}).error().code, Code::not_found);
  EXPECT_EQ(query(AuditProve{~std::uint64_t{0}}).error().code, Code::not_found);
}

TEST_F(QueryTest, EveryOldCheckpointIsAPartOfEveryNewerOne) {
  auditor_settings.page_max = 4;
  fill(23);
  boot();
  auto const history = test::rows_of<CheckpointRow>(*store.disk);
  ASSERT_EQ(history.size(), 6u);
  for (auto const& old : history) {
    for (auto const& newer : history) {
      if (newer.size < old.size) continue;
      auto const proof = query(AuditConsistency{old.size, newer.size});
      ASSERT_TRUE(proof) << proof.error().what;
      auto const before = open_checkpoint(old.text, key),
                 after = open_checkpoint(proof->checkpoint, key);
      ASSERT_TRUE(before && after);
      EXPECT_EQ(after->size, newer.size);
      EXPECT_TRUE(verify_consistency(old.size, newer.size, before->root, after->root,
                                     proof_of(proof->path)));
    }
    auto const newest = query(AuditConsistency{old.size, 0});
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->new_size, 23u);
  }
  EXPECT_EQ(query(AuditConsistency{4, 7}).error().code, Code::not_found)
      << "nothing was signed at 7";
  EXPECT_EQ(query(AuditConsistency{4, 24}).error().code, Code::not_found);
  EXPECT_EQ(query(AuditConsistency{8, 4}).error().code, Code::invalid);
  EXPECT_EQ(query(AuditConsistency{0, 0}).error().code, Code::invalid);
}

TEST_F(QueryTest, AChangedEntryIsFound) {
  fill(9);
  boot();
  auto row = entries()[4];
  row.actor = "mallory";
  tamper(row);
  auto const proof = query(AuditProve{4});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code, Code::internal);
  EXPECT_NE(proof.error().what.find("entry 4"), std::string::npos) << proof.error().what;
  EXPECT_EQ(counter("changed_rows_found"), 1);
  EXPECT_TRUE(query(AuditProve{5})) << "the others still prove themselves";
}

TEST_F(QueryTest, AChangedOrMissingNodeIsFound) {
  fill(9);
  boot();
  auto const all = test::rows_of<MerkleNodeRow>(*store.disk);
  auto const leaf = *std::find_if(all.begin(), all.end(),
                                  [](auto const& row) { return row.level == 0 && row.index == 5; });
  auto changed = leaf;
  changed.hash.data[0] ^= 1;
  tamper(changed);
  EXPECT_EQ(query(AuditProve{4}).error().code, Code::internal) << "its neighbour is on its path";
  EXPECT_TRUE(query(AuditProve{8}));
  auto const gone = store.disk->apply(
      {{{store::Op::erase, &store::table_of<MerkleNodeRow>(), store::key_cells(leaf)}}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(query(AuditProve{4}).error().code, Code::internal);
  EXPECT_EQ(counter("changed_rows_found"), 2);
}

TEST_F(QueryTest, ARemovedEntryIsFound) {
  fill(3);
  boot();
  ASSERT_FALSE(store.disk->apply(
      {{{store::Op::erase, &store::table_of<EntryRow>(), store::key_cells(entries()[1])}}}));
  EXPECT_EQ(query(AuditProve{1}).error().code, Code::internal);
}

TEST_F(QueryTest, TailFilters) {
  fill(12);
  boot();
  EXPECT_EQ(found({.from = 10}), (Found{10, 11}));
  EXPECT_EQ(next, 12u);
  EXPECT_EQ(found({.from = 3, .limit = 2}), (Found{3, 4}));
  EXPECT_EQ(next, 5u);
  EXPECT_EQ(found({.actor = "ann", .outcome = "denied"}), (Found{5}));
  EXPECT_EQ(next, 12u);
  EXPECT_EQ(found({.action = "vault.secret.put"}), (Found{0, 3, 6, 9}));
  EXPECT_EQ(found({.limit = 2, .action = "vault.secret.put"}), (Found{0, 3}));
  EXPECT_EQ(next, 4u);
  EXPECT_EQ(found({.resource_prefix = "secret/ml/1"}), (Found{1, 10, 11}));
  EXPECT_EQ(found({.resource_prefix = "secret/ml/"}).size(), 12u);
  EXPECT_EQ(found({.resource_prefix = "job/"}), Found{});
  EXPECT_EQ(found({.request_id = "r7"}), (Found{7}));
  EXPECT_EQ(found({.source = "deployer"}), Found{});
  auto const start = 1'790'000'000'000;
  EXPECT_EQ(found({.since_ms = start + 3'000, .until_ms = start + 5'000}), (Found{3, 4}));
  EXPECT_EQ(found({.from = 12}), Found{});
  EXPECT_EQ(found({.from = ~std::uint64_t{0}}), Found{});
  EXPECT_EQ(next, 12u);
}

TEST_F(QueryTest, AFilteredTailLooksAtABoundedPartAndGoesOn) {
  auditor_settings.search_max = 5;
  fill(12);
  boot();
  EXPECT_EQ(found({.request_id = "r11"}), Found{});
  EXPECT_EQ(next, 5u);
  EXPECT_EQ(found({.from = next, .request_id = "r11"}), Found{});
  EXPECT_EQ(found({.from = next, .request_id = "r11"}), (Found{11}));
  EXPECT_EQ(next, 12u);
  EXPECT_EQ(found({.from = 0}).size(), 12u) << "an unfiltered one is bounded by its limit";
}

TEST_F(QueryTest, AStoreThatIsAwayIsSaid) {
  fill(4);
  boot();
  store.reads_fail = true;
  EXPECT_EQ(query(AuditProve{1}).error().code, Code::unavailable);
  EXPECT_EQ(query(AuditTail{}).error().code, Code::unavailable);
  EXPECT_EQ(query(AuditConsistency{3, 4}).error().code, Code::unavailable);
  EXPECT_TRUE(query(AuditCheckpoint{}));
}

}  // namespace
}  // namespace lepton::auditor::testing
