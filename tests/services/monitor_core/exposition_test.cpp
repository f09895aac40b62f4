// Pages of exporters: what is read of them, and what is refused.

#include "services/monitor/core/exposition.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace lepton::monitor {
namespace {

std::vector<std::string> read(std::string_view page) {
  auto const samples = parse_exposition(page);
  EXPECT_TRUE(samples) << samples.error().what;
  std::vector<std::string> shown;
  if (!samples) return shown;
  for (auto const& s : *samples)
    shown.push_back(s.series() + " " + std::to_string(s.value) + (s.is_counter ? " c" : ""));
  return shown;
}

using Lines = std::vector<std::string>;

TEST(Exposition, TheFormatsOwnExample) {
  auto const page = R"(# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.5e2

# Minimalistic line:
metric_without_timestamp_and_labels 12.25

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
)";
  EXPECT_EQ(read(page), (Lines{R"(http_requests_total{method="post",code="200"} 1027.000000 c)",
                               R"(http_requests_total{method="post",code="400"} 3.000000 c)",
                               R"(msdos_seconds{path="C:\\DIR\\FILE.TXT",)"
                               R"(error="Cannot find file:\n\"FILE.TXT\""} 150.000000)",
                               "metric_without_timestamp_and_labels 12.250000",
                               R"(http_request_duration_seconds_bucket{le="0.05"} 24054.000000 c)",
                               R"(http_request_duration_seconds_bucket{le="+Inf"} 144320.000000 c)",
                               "http_request_duration_seconds_sum 53423.000000 c",
                               "http_request_duration_seconds_count 144320.000000 c"}));
}

TEST(Exposition, BlanksAndCommasDoNotMatter) {
  EXPECT_EQ(read("a { x = \"1\" , y=\"2\", }   3\n"), Lines{"a{x=\"1\",y=\"2\"} 3.000000"});
  EXPECT_EQ(read("a{} 3\n\t b\t4\n\n"), (Lines{"a 3.000000", "b 4.000000"}));
  EXPECT_EQ(read(""), Lines{});
}

TEST(Exposition, ValuesThatAreNoNumbersAreRead) {
  auto const samples = parse_exposition("a NaN\nb +Inf\nc -Inf\nd +1\n");
  ASSERT_TRUE(samples);
  EXPECT_TRUE(std::isnan(samples->at(0).value));
  EXPECT_EQ(samples->at(1).value, INFINITY);
  EXPECT_EQ(samples->at(2).value, -INFINITY);
  EXPECT_EQ(samples->at(3).value, 1);
}

TEST(Exposition, WhatIsNotUnderstoodRefusesThePage) {
  for (auto const* page :
       {"a 1", "a\n", "1a 1\n", "a{x} 1\n", "a{x=1} 1\n", "a{x=\"1} 1\n", "a{x=\"1\" 1\n",
        "a{x=\"1\"y=\"2\"} 1\n", "a one\n", "a 1 then\n", "a 1 2 3\n", "a 1\r\n",
        "a{x:y=\"1\"} 1\n", "# TYPE a counter\n# TYPE a gauge\na 1\n", "# TYPE a counter gauge\n",
        "<html></html>\n"})
    EXPECT_FALSE(parse_exposition(page)) << page;
  EXPECT_EQ(parse_exposition("good 1\nbad\n").error().what,
            "line 2 of the exporter's page: a value that is no number");
}

TEST(Exposition, HasLimits) {
  EXPECT_FALSE(parse_exposition("a 1\nb 2\nc 3\n", {.samples_max = 2}));
  EXPECT_FALSE(parse_exposition("\n\n\n", {.lines_max = 2}));
  EXPECT_FALSE(parse_exposition("a 1.00000\n", {.line_bytes_max = 8}));
}

RC_GTEST_PROP(Exposition, AnyBytesAreReadOrRefused, ()) {
  auto const page =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab{}=\",\\ \n\t1.eN#+TYP")));
  auto const samples = parse_exposition(page);
  if (!samples) return;
  for (auto const& s : *samples) RC_ASSERT(!s.name.empty());
}

TEST(Keep, ByNameOrByItsBeginning) {
  std::vector<std::string> const keep{"node_load1", "node_memory_*"};
  EXPECT_TRUE(is_kept(keep, "node_load1"));
  EXPECT_FALSE(is_kept(keep, "node_load15"));
  EXPECT_TRUE(is_kept(keep, "node_memory_MemFree_bytes"));
  EXPECT_FALSE(is_kept(keep, "node_mem"));
  EXPECT_TRUE(is_kept({"*"}, "anything"));
  EXPECT_TRUE(check_keep(keep));
  for (auto const& bad : std::vector<std::vector<std::string>>{
           {}, {""}, {"a b"}, {"a*b"}, {"a{x}"}, std::vector<std::string>(65, "a")})
    EXPECT_FALSE(check_keep(bad));
}

}  // namespace
}  // namespace lepton::monitor
