#include "services/node/runner/record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::node {
namespace {

TEST(Record, IsReadableText) {
  Record record;
  record.put("state", "running");
  record.put("pid", std::int64_t{42});
  record.put("what", "two\nlines");
  EXPECT_EQ(record.encode(), "state=running\npid=42\nwhat=two\\nlines\n");
}

TEST(Record, RefusesWhatItDidNotWrite) {
  for (auto const* text : {"no newline", "no equals\n", "=no key\n", "a=b\\\n", "a=b\\x\n"})
    EXPECT_FALSE(Record::decode(text)) << text;
  EXPECT_EQ(Record::decode(std::string(Record::size_max + 1, '\n')).error().code, Code::exhausted);
}

TEST(Record, EmptyLinesArePadding) {
  auto const record = Record::decode("\n\na=1\n\n\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->number("a", 0), 1);
  EXPECT_EQ(record->number("b", 7), 7);
  EXPECT_EQ(record->text("b"), "");
}

TEST(Record, PairsSplitAtTheFirstEquals) {
  EXPECT_EQ(split_pair("A=b=c"), (std::pair<std::string, std::string>("A", "b=c")));
  EXPECT_EQ(split_pair("A"), (std::pair<std::string, std::string>("A", "")));
}

RC_GTEST_PROP(Record, AnyValueComesBack, (std::vector<std::string> const& values)) {
  Record record;
  for (auto const& value : values) record.put("v", value);
  auto const back = Record::decode(record.encode());
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->all("v") == values);
}

}  // namespace
}  // namespace lepton::node
