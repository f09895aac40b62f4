#include "services/auditor/core/entry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton::auditor {
namespace {

AuditEntry sample() {
  return {7,          "vault",       "audit",       2,        99,       1'700'000'000'123,
          "user:ada", "secret.read", "kv/team/key", "denied", "0190-1", R"({"version":"3"})"};
}

TEST(Entry, OctetsAreFixedForEver) {
  AuditEntry entry;
  entry.sequence = 258;
  entry.source = "ab";
  entry.at_ms = -1;
  std::string const expected = "lepton-audit-entry/1\n";
  auto const leaf = *leaf_bytes(entry);
  ASSERT_TRUE(leaf.starts_with(expected));
  EXPECT_EQ(text::hex(leaf.substr(expected.size())),
            "0001000000080000000000000102"
            "0002000000026162"
            "000300000000"
            "0004000000080000000000000000"
            "0005000000080000000000000000"
            "000600000008ffffffffffffffff"
            "000700000000"
            "000800000000"
            "000900000000"
            "000a00000000"
            "000b00000000"
            "000c00000000");
}

TEST(Entry, ReadsBack) {
  EXPECT_EQ(*parse_leaf(*leaf_bytes(sample())), sample());
}

TEST(Entry, EveryFieldCounts) {
  std::set<std::string> encodings{*leaf_bytes(sample())};
  schema::each<AuditEntry>([&](auto const& field) {
    auto changed = sample();
    auto& member = changed.*field.member;
    if constexpr (std::is_integral_v<std::remove_reference_t<decltype(member)>>)
      ++member;
    else
      member += "x";
    encodings.insert(*leaf_bytes(changed));
  });
  EXPECT_EQ(encodings.size(), schema::field_count<AuditEntry> + 1);
}

TEST(Entry, TextCannotMoveBetweenFields) {
  auto a = sample(), b = sample();
  a.action = "ab", a.resource = "c";
  b.action = "a", b.resource = "bc";
  EXPECT_NE(*leaf_bytes(a), *leaf_bytes(b));
}

TEST(Entry, OnlyTheCanonicalFormIsRead) {
  auto const leaf = *leaf_bytes(sample());
  for (std::size_t length = 0; length < leaf.size(); ++length)
    EXPECT_FALSE(parse_leaf(leaf.substr(0, length))) << length;
  EXPECT_FALSE(parse_leaf(leaf + std::string("\0\x0c\0\0\0\0", 6)));  // a field twice
  EXPECT_FALSE(parse_leaf(leaf + std::string("\0\x63\0\0\0\0", 6)));  // an unknown field
  EXPECT_FALSE(parse_leaf(leaf + "x"));
  auto const tag = std::string("lepton-audit-entry/1\n");
  auto const first = leaf.substr(tag.size(), 14), rest = leaf.substr(tag.size() + 14);
  EXPECT_TRUE(parse_leaf(tag + first + rest));
  EXPECT_FALSE(parse_leaf(tag + rest + first));  // another order
  EXPECT_FALSE(parse_leaf(tag + rest));          // one missing
}

TEST(Entry, HasALimit) {
  auto entry = sample();
  entry.detail.assign(max_leaf_bytes, 'x');
  EXPECT_EQ(leaf_bytes(entry).error().code, Code::invalid);
  EXPECT_EQ(parse_leaf(std::string(max_leaf_bytes + 1, 'x')).error().code, Code::invalid);
}

RC_GTEST_PROP(Entry, WhatIsReadWritesTheSameOctets, (std::size_t at, unsigned char octet)) {
  auto leaf = *leaf_bytes(sample());
  leaf[at % leaf.size()] = static_cast<char>(octet);
  auto const parsed = parse_leaf(leaf);
  if (parsed) RC_ASSERT(*leaf_bytes(*parsed) == leaf);
}

RC_GTEST_PROP(Entry, AnyTextsReadBack,
              (std::uint64_t number, std::int64_t time, std::string const& a,
               std::string const& b)) {
  AuditEntry const entry{number, a, b, number, ~number, time, a + b, b, a, b + b, a, b};
  RC_ASSERT(*parse_leaf(*leaf_bytes(entry)) == entry);
}

TEST(AuditMessages, TravelOnTheWire) {
  AuditProof proof{sample(), {"leaf"}, 7, 9, {{"a"}, {"b"}}, "note"};
  EXPECT_EQ(*codec::decode<AuditProof>(codec::encode(proof)), proof);
  AuditConsistencyProof consistency{1, 2, {{"c"}}, "note"};
  EXPECT_EQ(*codec::decode<AuditConsistencyProof>(codec::encode(consistency)), consistency);
  EXPECT_EQ(*codec::decode<AuditCheckpoint>(codec::encode(AuditCheckpoint{})), AuditCheckpoint{});
  AuditPage page{{sample(), sample()}, 2, 2};
  EXPECT_EQ(*codec::decode<AuditPage>(codec::encode(page)), page);
  AuditTail tail;
  tail.limit = 1001;
  EXPECT_FALSE(codec::decode<AuditTail>(codec::encode(tail)));
}

}  // namespace
}  // namespace lepton::auditor
