// The parser itself must refuse: otherwise the tests that use it could not fail.
#include "tests/common/metrics/page_parser.hpp"

#include <gtest/gtest.h>

namespace lepton::metrics::testing {
namespace {

std::string const head = "# HELP a_total Help.\n# TYPE a_total counter\n";
std::string const histogram = "# HELP h Help.\n# TYPE h histogram\n";

std::string problem(std::string const& page) {
  return parse_page(page).problem;
}

TEST(PageParser, AcceptsAGoodPage) {
  EXPECT_EQ(problem(head + "a_total{x=\"1\"} 1\na_total{x=\"2\"} 2.5e+10\n"), "");
  EXPECT_EQ(
      problem(histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 9\nh_count 3\n"),
      "");
}

TEST(PageParser, RefusesBrokenLines) {
  EXPECT_NE(problem(head + "a_total 1"), "");                     // no last line feed
  EXPECT_NE(problem(head + "a_total 1\r\n"), "");                 // CRLF
  EXPECT_NE(problem(head + "a_total{x=\"1\",x=\"1\"} 1\n"), "");  // label twice
  EXPECT_NE(problem(head + "a_total{x=\"1} 1\n"), "");            // open quote
  EXPECT_NE(problem(head + "a_total{x=\"\\q\"} 1\n"), "");        // unknown escape
  EXPECT_NE(problem(head + "a_total inf\n"), "");                 // wrong spelling
  EXPECT_NE(problem(head + "a_total -1\n"), "");                  // falling counter
  EXPECT_NE(problem(head), "");                                   // no sample
  EXPECT_NE(problem("a_total 1\n"), "");                          // no HELP, no TYPE
  EXPECT_NE(problem(head + "\na_total 1\n"), "");                 // empty line
}

TEST(PageParser, RefusesRepeatedAndInterleavedFamilies) {
  EXPECT_NE(problem(head + "a_total 1\na_total 2\n"), "");
  EXPECT_NE(problem(head + "a_total 1\n" + head + "a_total 2\n"), "");
  EXPECT_NE(problem(head + "a_total 1\n# HELP b Help.\n# TYPE b gauge\nb 1\na_total{x=\"1\"} 1\n"),
            "");
}

TEST(PageParser, RefusesBrokenHistograms) {
  EXPECT_NE(problem(histogram + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"), "");
  EXPECT_NE(
      problem(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
      "");
  EXPECT_NE(
      problem(histogram + "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n"
                          "h_sum 1\nh_count 1\n"),
      "");
  EXPECT_NE(problem(histogram + "h_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 1\n"), "");
  EXPECT_NE(problem(histogram + "h_bucket{le=\"+Inf\"} 2\nh_count 2\n"), "");
  EXPECT_NE(problem(histogram + "h_bucket 2\nh_sum 1\nh_count 2\n"), "");
}

}  // namespace
}  // namespace lepton::metrics::testing
