#include "cli/spec/instant.hpp"

#include <gtest/gtest.h>

namespace lepton::cli {
namespace {

TEST(Instant, IsUtcOrCountedFromTheBase) {
  EXPECT_EQ(*parse_instant_ms("1970-01-01T00:01Z", 5), 60'000);
  EXPECT_EQ(*parse_instant_ms("2026-11-24T08:00:30Z", 5), 1'795'507'230'000);
  EXPECT_EQ(*parse_instant_ms("+1h30m", 1'000), 5'401'000);
  for (auto const* text :
       {"", "+", "+soon", "tomorrow", "2026-11-24", "2026-11-24T08:00", "2026-02-30T08:00Z",
        "2026-11-24T08:00Zulu", "1969-12-31T00:00Z", "2026-11-24T08:00:60Z"})
    EXPECT_FALSE(parse_instant_ms(text, 0)) << text;
}

}  // namespace
}  // namespace lepton::cli
