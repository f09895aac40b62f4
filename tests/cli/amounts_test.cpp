#include "cli/spec/amounts.hpp"

#include <gtest/gtest.h>

#include "cli/jobs/resize.hpp"
#include "cli/nodes/power_commands.hpp"
#include "cli/nodes/slice_commands.hpp"

namespace lepton::cli {
namespace {

template <class T>
struct Row {
  char const* text;
  T value;
};

TEST(Amounts, DurationsAreSumsOfUnits) {
  for (auto const& [text, ms] : {Row<std::int64_t>{"0", 0},
                                 {"500ms", 500},
                                 {"30s", 30'000},
                                 {"10m", 600'000},
                                 {"4h", 14'400'000},
                                 {"1h30m", 5'400'000},
                                 {"1.5h", 5'400'000},
                                 {"2d", 172'800'000}}) {
    auto const parsed = parse_duration_ms(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
    EXPECT_EQ(*parsed, ms) << text;
  }
}

TEST(Amounts, WrongDurationsNameTheCure) {
  for (auto const* text :
       {"", "10", "m", "10 m", "-1s", "10x", "1h30", "1..5s", "1e3s", "9999999999d"}) {
    auto const parsed = parse_duration_ms(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid);
  }
  EXPECT_EQ(parse_duration_ms("10").error().what,
            "'10' is not a duration; write for example 30s, 10m, 4h or 1h30m");
}

TEST(Amounts, MemoryCountsInTheUnitThatIsWritten) {
  for (auto const& [text, mib] : {Row<std::int64_t>{"512MiB", 512},
                                  {"1GiB", 1024},
                                  {"1.5GiB", 1536},
                                  {"80GB", 76'294},
                                  {"64GB+", 61'036},
                                  {"40GB..", 38'147},
                                  {"1TiB", 1'048'576},
                                  {"1B", 1},
                                  {"0MiB", 0}}) {
    auto const parsed = parse_memory_mib(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
    EXPECT_EQ(*parsed, mib) << text;
  }
}

TEST(Amounts, WrongMemoryNamesTheCure) {
  EXPECT_EQ(parse_memory_mib("64").error().what, "'64' has no unit; write for example 64GB");
  EXPECT_EQ(
      parse_memory_mib("64Gb").error().what,
      "'64Gb' is not an amount of memory; write for example 512MiB, 64GB or 64GB+, did you mean "
      "'GB'?");
  EXPECT_EQ(
      parse_memory_mib("24GB..80GB").error().what,
      "'24GB..80GB' has an upper bound, which is not supported; write the least, as in '24GB+'");
  for (auto const* text : {"", "GB", "-1GB", "1 GB", "1GB 2", "1e9GB"})
    EXPECT_FALSE(parse_memory_mib(text)) << text;
}

TEST(Amounts, CpusAreCoresOrThousandths) {
  for (auto const& [text, milli] : {Row<std::int64_t>{"16", 16'000},
                                    {"16+", 16'000},
                                    {"4..", 4'000},
                                    {"0.5", 500},
                                    {"500m", 500},
                                    {"0", 0}}) {
    auto const parsed = parse_cpu_milli(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
    EXPECT_EQ(*parsed, milli) << text;
  }
  for (auto const* text : {"", "m", "1.5m", "four", "-1", "1..8", "1M"})
    EXPECT_FALSE(parse_cpu_milli(text)) << text;
}

TEST(Amounts, GpusAreCountsModelsOrBoth) {
  for (auto const& [text, wish] : {Row<GpuWish>{"2", {"", 2}},
                                   {"0", {"", 0}},
                                   {"H100", {"H100", 1}},
                                   {"H100:8", {"H100", 8}},
                                   {"A100-80GB:4", {"A100-80GB", 4}}}) {
    auto const parsed = parse_gpu(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
    EXPECT_EQ(*parsed, wish) << text;
  }
  for (auto const* text :
       {"", ":8", "H100:", "H100:x", "H100:0", "H 100", "-1", "1025", "H100:8:1", "2.5"})
    EXPECT_FALSE(parse_gpu(text)) << text;
}

TEST(Size, IsReadAsInASpecAndRefusedByItsOption) {
  EXPECT_EQ(*read_size("500m", ""), (TaskSize{500, 0}));
  EXPECT_EQ(*read_size("", "8GiB"), (TaskSize{0, 8'192}));
  EXPECT_EQ(*read_size("4", "64MiB"), (TaskSize{4'000, 64}));
  EXPECT_NE(read_size("", "").error().what.find("--cpu, --memory or both"), std::string::npos);
  EXPECT_TRUE(read_size("much", "").error().what.starts_with("--cpu: "));
  EXPECT_TRUE(read_size("", "8").error().what.starts_with("--memory: "));
  EXPECT_TRUE(read_size("0", "").error().what.starts_with("--cpu: "));
}

TEST(Watts, AreWrittenWithTheirUnit) {
  EXPECT_EQ(*parse_watts("12kW"), 12'000);
  EXPECT_EQ(*parse_watts("850W"), 850);
  EXPECT_EQ(*parse_watts("1.5kW"), 1'500);
  for (auto const* text : {"", "W", "12", "12MW", "-1W", "0W", "0.1W", "nanW", "1e9kW"})
    EXPECT_FALSE(parse_watts(text)) << text;
}

TEST(SliceSize, GpusAreWholeOrAShareOfOne) {
  auto const gpus = [](std::string const& text) {
    auto const size = read_slice_size({.gpus = text});
    return size ? std::pair(size->gpus, size->gpu_milli) : std::pair<std::int64_t, std::int64_t>();
  };
  EXPECT_EQ(gpus("2"), (std::pair<std::int64_t, std::int64_t>(2, 1000)));
  EXPECT_EQ(gpus("0.5"), (std::pair<std::int64_t, std::int64_t>(1, 500)));
  EXPECT_EQ(gpus("0"), (std::pair<std::int64_t, std::int64_t>(0, 1000)));
  EXPECT_EQ(gpus(""), (std::pair<std::int64_t, std::int64_t>(-1, -1))) << "stays as it is";
  for (auto const* text : {"1.5", "two", "2000"})
    EXPECT_TRUE(read_slice_size({.gpus = text}).error().what.starts_with("--gpus: ")) << text;
  EXPECT_TRUE(read_slice_size({.memory = "8"}).error().what.starts_with("--memory: "));
  EXPECT_EQ(read_slice_size({.bandwidth = "10Gbit"})->bandwidth_mbit, 10'000);
}

}  // namespace
}  // namespace lepton::cli
