#include "cli/audit/verify.hpp"

#include <gtest/gtest.h>

#include "tests/cli/fake_log.hpp"

namespace lepton::cli {
namespace {

Result<Verified> verify(FakeLog const& log, Trust const& trust = {}, std::string const& also = "") {
  return verify_log(log.source(), trust, also, {});
}

std::string problem(Result<Verified> const& verified) {
  if (verified) return "verified";
  EXPECT_EQ(verified.error().code, Code::denied);
  return verified.error().what;
}

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != text.npos;
}

TEST(Verify, AnHonestLogIsVerifiedAndThenTrusted) {
  FakeLog log;
  log.fill(1234);  // more than two pages
  std::uint64_t shown = 0;
  auto const first =
      verify_log(log.source(), {}, "", [&](std::uint64_t done, std::uint64_t) { shown = done; });
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_TRUE(first->report.first_use);
  EXPECT_EQ(first->report.entries, 1234u);
  EXPECT_EQ(first->report.origin, "lepton.test");
  EXPECT_EQ(first->report.sources, 1u);
  EXPECT_EQ(shown, 1234u);
  EXPECT_EQ(first->trust, (Trust{log.public_key(), log.checkpoint()}));

  auto const kept = log.checkpoint();
  log.fill(77);
  auto const second = verify(log, first->trust, kept);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_FALSE(second->report.first_use);
  EXPECT_EQ(second->trust.checkpoint, log.checkpoint());
  EXPECT_TRUE(verify(log, second->trust));  // nothing new is fine too
}

TEST(Verify, AnEmptyLogIsALog) {
  FakeLog log;
  auto const empty = verify(log);
  ASSERT_TRUE(empty) << empty.error().what;
  log.fill(3);
  EXPECT_TRUE(verify(log, empty->trust));
}

TEST(Verify, AChangedEntryIsFound) {
  for (std::size_t const at : {0u, 4u, 9u}) {
    FakeLog log;
    log.fill(10);
    log.entries[at].actor = "bob";
    EXPECT_TRUE(
        has(problem(verify(log)), "the 10 entries do not have the root that the auditor signed"))
        << at;
  }
}

TEST(Verify, EveryFieldOfAnEntryCounts) {
  auto const changes = std::vector<void (*)(AuditEntry&)>{
      [](AuditEntry& e) { e.at_ms += 1; },       [](AuditEntry& e) { e.action += "x"; },
      [](AuditEntry& e) { e.resource = "x"; },   [](AuditEntry& e) { e.outcome = "denied"; },
      [](AuditEntry& e) { e.request_id = "x"; }, [](AuditEntry& e) { e.detail = "{\"a\":\"b\"}"; }};
  for (auto const change : changes) {
    FakeLog log;
    log.fill(5);
    change(log.entries[2]);
    EXPECT_FALSE(verify(log));
  }
}

TEST(Verify, RemovedReorderedOrDoubledEntriesAreFound) {
  FakeLog removed;
  removed.fill(10);
  removed.entries.pop_back();
  EXPECT_TRUE(has(problem(verify(removed)), "gives no entry 9"));
  FakeLog swapped;
  swapped.fill(10);
  std::swap(swapped.entries[3], swapped.entries[4]);
  EXPECT_TRUE(has(problem(verify(swapped)), "entry 4 stands where entry 3 must be"));
}

TEST(Verify, AnEventTwiceOrMissingIsFoundThoughItIsSigned) {
  FakeLog twice;
  twice.add("vault", 1);
  twice.add("deployer", 1);
  twice.add("vault", 2);
  twice.add("vault", 2);
  EXPECT_EQ(problem(verify(twice)), "entry 3 repeats event 2 of vault/audit");
  FakeLog gap;
  gap.add("vault", 1);
  gap.add("vault", 4);
  EXPECT_EQ(problem(verify(gap)), "before entry 1, 2 events of vault/audit are missing");
}

TEST(Verify, ARewrittenLogIsFoundByTheOldCheckpoint) {
  FakeLog honest;
  honest.fill(8);
  Trust const trust{honest.public_key(), honest.checkpoint()};
  FakeLog other;  // the same key: the auditor itself rewrote the past
  for (std::uint64_t i = 1; i <= 10; ++i) other.add(i == 1 ? "vault" : "deployer", i == 1 ? 1 : i);
  EXPECT_TRUE(verify(other));  // in itself it is fine
  EXPECT_TRUE(has(problem(verify(other, trust)),
                  "the checkpoint kept here (size 8) is no part of the log"));
  EXPECT_TRUE(has(problem(verify(other, {other.public_key(), ""}, honest.checkpoint())),
                  "the given checkpoint"));
}

TEST(Verify, AShorterLogIsFound) {
  FakeLog honest, shorter;
  honest.fill(8);
  shorter.fill(5);
  EXPECT_TRUE(has(problem(verify(shorter, {honest.public_key(), honest.checkpoint()})),
                  "entries were removed"));
}

TEST(Verify, AnotherKeyIsNotTrusted) {
  FakeLog log(1), poser(2);
  log.fill(3);
  poser.fill(3);
  EXPECT_TRUE(has(problem(verify(poser, {log.public_key(), ""})), "the auditor shows the key"));
  EXPECT_FALSE(verify(log, {}, poser.checkpoint()));
}

TEST(Verify, AForgedConsistencyProofIsFound) {
  FakeLog log;
  log.fill(6);
  Trust const trust{log.public_key(), log.checkpoint()};
  log.fill(6);
  auto source = log.source();
  source.consistency = [&log](std::uint64_t a, std::uint64_t b) -> Result<AuditConsistencyProof> {
    auto shown = log.source().consistency(a, b).value();
    shown.path[0].data[0] = static_cast<char>(shown.path[0].data[0] ^ 1);
    return shown;
  };
  EXPECT_TRUE(has(problem(verify_log(source, trust, "", {})), "is no part of the log"));
  source.consistency = [&log](std::uint64_t a, std::uint64_t b) -> Result<AuditConsistencyProof> {
    auto shown = log.source().consistency(a, b).value();
    shown.path[0].data.pop_back();
    return shown;
  };
  EXPECT_TRUE(has(problem(verify_log(source, trust, "", {})), "not of 32 octets"));
}

TEST(Prove, AnEntryIsInTheLog) {
  FakeLog log;
  log.fill(20);
  for (std::uint64_t const at : {0u, 7u, 19u}) {
    auto const checkpoint = verify_entry(log.prove(at), at, log.public_key());
    ASSERT_TRUE(checkpoint) << checkpoint.error().what;
    EXPECT_EQ(checkpoint->size, 20u);
  }
}

TEST(Prove, WhatDoesNotHoldIsRefused) {
  FakeLog log, poser(2);
  log.fill(20);
  poser.fill(20);
  auto const good = log.prove(7);
  auto const refused = [&](AuditProof const& proof, std::uint64_t at = 7) {
    auto const checked = verify_entry(proof, at, log.public_key());
    return checked ? std::string("holds") : checked.error().what;
  };
  EXPECT_EQ(refused(good), "holds");
  EXPECT_TRUE(has(refused(good, 8), "another entry"));
  auto changed = good;
  changed.entry.actor = "bob";
  EXPECT_TRUE(has(refused(changed), "not the one that the proof is over"));
  changed.leaf.data = auditor::leaf_bytes(changed.entry).value();
  EXPECT_TRUE(has(refused(changed), "the entry is not in the log"));
  auto cut = good;
  cut.path.pop_back();
  EXPECT_TRUE(has(refused(cut), "does not hold"));
  auto resized = good;
  resized.size = 19;
  EXPECT_TRUE(has(refused(resized), "another size"));
  EXPECT_NE(refused(poser.prove(7)), "holds");
}

}  // namespace
}  // namespace lepton::cli
