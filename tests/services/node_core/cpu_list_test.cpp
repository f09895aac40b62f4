#include "services/node/core/cpu_list.hpp"

#include <gtest/gtest.h>

namespace lepton::node {
namespace {

TEST(CpuList, IsReadAsTheKernelWritesItAndWrittenAgain) {
  using Cpus = std::vector<int>;
  struct Row {
    char const* text;
    Cpus cpus;
  };
  for (auto const& row : {Row{"", {}},
                          {"0", {0}},
                          {"0-3", {0, 1, 2, 3}},
                          {"2,4-5", {2, 4, 5}},
                          {"0,2,1022-1023", {0, 2, 1022, 1023}}}) {
    ASSERT_TRUE(parse_cpu_list(row.text)) << row.text;
    EXPECT_EQ(*parse_cpu_list(row.text), row.cpus) << row.text;
    EXPECT_EQ(cpu_list_of(row.cpus), row.text);
  }
  EXPECT_EQ(cpu_list_of({0, 1}), "0-1");
}

TEST(CpuList, NothingElseIsOne) {
  for (auto const* text : {",", "0,", "-1", "1-", "3-1", "0-3,3", "2,1", "a", "0 ", " 0", "1024",
                           "0-1024", "99999", "0--1", "0x1", "0\n"})
    EXPECT_FALSE(parse_cpu_list(text)) << text;
}

}  // namespace
}  // namespace lepton::node
