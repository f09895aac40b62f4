#include "common/base/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::text {
namespace {

TEST(Text, SplitAndJoinAreInverse) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
}
RC_GTEST_PROP(Text, JoinUndoesSplit, (std::string const& s)) {
  RC_ASSERT(join(split(s, ','), ",") == s);
}

TEST(Text, Trim) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, Hex) {
  EXPECT_EQ(hex(std::string("\x00\xff\x10", 3)), "00ff10");
  EXPECT_EQ(unhex("00fF10"), std::string("\x00\xff\x10", 3));
  for (auto const* bad : {"0", "0g", "g0", "-1", "+1", " 1", "0x"}) EXPECT_FALSE(unhex(bad)) << bad;
}
RC_GTEST_PROP(Text, UnhexUndoesHex, (std::string const& s)) {
  RC_ASSERT(unhex(hex(s)) == s);
}

TEST(Text, ParseInt) {
  EXPECT_EQ(parse_int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  for (auto const* bad : {"", "9223372036854775808", "1.0", " 1", "1 ", "+1", "0x10", "1e3"})
    EXPECT_FALSE(parse_int(bad)) << bad;
}

TEST(Text, Distance) {
  EXPECT_EQ(distance("", ""), 0u);
  EXPECT_EQ(distance("gpu", "gpus"), 1u);
  EXPECT_EQ(distance("gpu", "gup"), 1u) << "a swap of neighbours is one step";
  EXPECT_EQ(distance("kitten", "sitting"), 3u);
}
RC_GTEST_PROP(Text, DistanceIsSymmetric, ()) {
  auto const word = rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
  auto const a = *word, b = *word;
  RC_ASSERT(distance(a, b) == distance(b, a));
  RC_ASSERT((distance(a, b) == 0) == (a == b));
  RC_ASSERT(distance(a, b) <= std::max(a.size(), b.size()));
}

TEST(Text, NearestNameOrNone) {
  std::vector<std::string> const names{"command", "resources", "gpus"};
  EXPECT_EQ(nearest("comand", names), "command");
  EXPECT_EQ(did_you_mean("gpu", names), ", did you mean 'gpus'?");
  EXPECT_EQ(did_you_mean("environment", names), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
  EXPECT_FALSE(nearest(std::string(100'000, 'x'), names)) << "and it is quick about it";
}

TEST(Text, Utc) {
  EXPECT_EQ(utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc(1'800'000'000'999), "2027-01-15T08:00:00Z");
}

TEST(Text, DnsLabels) {
  for (auto const* good : {"a", "0", "a-b", "digits-2024"}) EXPECT_TRUE(is_dns_label(good)) << good;
  for (auto const* bad : {"", "-a", "a-", "A", "a.b", "a_b", "a b", "\xc3\xa4"})
    EXPECT_FALSE(is_dns_label(bad)) << bad;
  EXPECT_TRUE(is_dns_label(std::string(63, 'x')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'x')));
}

}  // namespace
}  // namespace lepton::text
