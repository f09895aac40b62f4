#include "common/metrics/exposition.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace lepton::metrics {
namespace {

TEST(Exposition, NamesFollowTheRules) {
  EXPECT_EQ(name_problem("lepton_jobs_total", Kind::counter), "");
  EXPECT_EQ(name_problem("lepton_queue_wait_seconds", Kind::histogram), "");
  EXPECT_EQ(name_problem("lepton_memory_bytes", Kind::gauge), "");
  EXPECT_EQ(name_problem("lepton_cpu_seconds_total", Kind::counter), "");
  for (auto const* name : {"jobs", "lepton_Jobs", "lepton_jobs:x", "lepton-jobs", "lepton_j\n", "",
                           "lepton_wait_ms", "lepton_size_mib", "lepton_x_count", "lepton_x_bucket",
                           "lepton_jobs_total", "lepton_gr\xC3\xBC"})
    EXPECT_NE(name_problem(name, Kind::gauge), "") << name;
  EXPECT_NE(name_problem("lepton_jobs", Kind::counter), "");
  EXPECT_NE(name_problem("lepton_wait_ms_total", Kind::counter), "");
}

TEST(Exposition, LabelsFollowTheRules) {
  EXPECT_EQ(label_problem("node"), "");
  for (auto const* label : {"", "le", "quantile", "__name", "1a", "a-b", "Node", "a:b"})
    EXPECT_NE(label_problem(label), "") << label;
}

TEST(Exposition, Numbers) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(5), "5");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(-2.5), "-2.5");
  EXPECT_EQ(number(HUGE_VAL), "+Inf");
  EXPECT_EQ(number(-HUGE_VAL), "-Inf");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(number(-std::numeric_limits<double>::quiet_NaN()), "NaN");
}

RC_GTEST_PROP(Exposition, NumbersReadBackTheSame, (double value)) {
  RC_ASSERT(std::strtod(number(value).c_str(), nullptr) == value);
}

TEST(Exposition, Escapes) {
  EXPECT_EQ(escape_help("a\\b\n\"c\""), "a\\\\b\\n\"c\"");
  EXPECT_EQ(escape_label_value("a\\b\n\"c\""), "a\\\\b\\n\\\"c\\\"");
  EXPECT_EQ(label_set({"a", "b"}, {"x\"", "y"}), "{a=\"x\\\"\",b=\"y\"}");
  EXPECT_EQ(label_set({}, {}), "");
}

TEST(Exposition, LabelValuesBecomeValidText) {
  EXPECT_EQ(clean_label_value("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(clean_label_value("\xF0\x9F\x9A\x80"), "\xF0\x9F\x9A\x80");
  EXPECT_EQ(clean_label_value("a\xFF\xC3"), "a??");
  EXPECT_EQ(clean_label_value("\xC0\x80"), "??");            // overlong
  EXPECT_EQ(clean_label_value("\xE0\x80\x80"), "???");       // overlong
  EXPECT_EQ(clean_label_value("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(clean_label_value("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(clean_label_value(std::string(500, 'a')).size(), max_label_value_bytes);
  // Never cut inside a character.
  EXPECT_EQ(clean_label_value(std::string(127, 'a') + "\xC3\xBC"), std::string(127, 'a'));
}

RC_GTEST_PROP(Exposition, CleaningTwiceChangesNothing, (std::string const& text)) {
  auto const once = clean_label_value(text);
  RC_ASSERT(clean_label_value(once) == once);
}

}  // namespace
}  // namespace lepton::metrics
