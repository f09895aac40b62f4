#include "common/base/bandwidth.hpp"

#include <gtest/gtest.h>

namespace lepton {
namespace {

TEST(Bandwidth, IsReadInBitsAndRoundedUp) {
  struct Row {
    char const* text;
    std::int64_t mbit;
  };
  for (auto const& [text, mbit] : {Row{"10Gbit", 10'000},
                                   {"2.5Gbit", 2'500},
                                   {"800Mbit", 800},
                                   {"0.1Mbit", 1},
                                   {"0Mbit", 0},
                                   {"1Tbit", 1'000'000},
                                   {"1000Tbit", 1'000'000'000}}) {
    auto const read = parse_bandwidth_mbit(text);
    ASSERT_TRUE(read) << text << ": " << read.error().what;
    EXPECT_EQ(*read, mbit) << text;
  }
}

TEST(Bandwidth, WhatIsNoBandwidthIsRefusedWithTheCure) {
  for (auto const* text : {"", "10", "10GB", "10Gb", "10 Gbit", "Gbit", "1.2.3Gbit", ".", "-1Gbit",
                           "1e3Gbit", "10gbit"})
    EXPECT_EQ(parse_bandwidth_mbit(text).error().what,
              "'" + std::string(text) +
                  "' is not a bandwidth; write bits per second, for example 10Gbit or 800Mbit");
  EXPECT_EQ(parse_bandwidth_mbit("1001Tbit").error().what,
            "'1001Tbit' is more than any network has");
}

}  // namespace
}  // namespace lepton
