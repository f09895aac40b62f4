#include "services/deployer/core/spec_check.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

JobSpec good() {
  JobSpec spec;
  spec.name = "train";
  spec.command = {"/usr/bin/python3", "train.py"};
  return spec;
}

struct Case {
  char const* field;  // that the refusal must name
  void (*spoil)(JobSpec&);
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, NamesTheField) {
  auto spec = good();
  GetParam().spoil(spec);
  auto const checked = check_spec(JobId{"job-1"}, spec);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::invalid);
  EXPECT_EQ(checked.error().what.find(GetParam().field), 0u) << checked.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Refused,
    testing::Values(
        Case{"name", [](JobSpec& s) { s.name = "Train"; }},
        Case{"name", [](JobSpec& s) { s.name = "-train"; }},
        Case{"name", [](JobSpec& s) { s.name = std::string(64, 'a'); }},
        Case{"name", [](JobSpec& s) { s.name = "../etc"; }},
        Case{"pool", [](JobSpec& s) { s.pool.value = ""; }},
        Case{"command", [](JobSpec& s) { s.command.clear(); }},
        Case{"command", [](JobSpec& s) { s.command = {""}; }},
        Case{"command", [](JobSpec& s) { s.command.push_back(std::string("a\0b", 3)); }},
        Case{"command", [](JobSpec& s) { s.command.push_back(std::string(40'000, 'x')); }},
        Case{"user", [](JobSpec& s) { s.user = "root"; }},
        Case{"user", [](JobSpec& s) { s.user = "a b"; }},
        Case{"env", [](JobSpec& s) { s.env["1A"] = "x"; }},
        Case{"env", [](JobSpec& s) { s.env["A=B"] = "x"; }},
        Case{"env", [](JobSpec& s) { s.env["A"] = std::string("\0", 1); }},
        Case{"secrets", [](JobSpec& s) { s.secrets["HF"] = "ml/hf"; }},
        Case{"secrets", [](JobSpec& s) { s.secrets["HF"] = "vault://"; }},
        Case{"image_credentials", [](JobSpec& s) { s.image_credentials = "vault://ghcr"; }},
        Case{"image_credentials",
             [](JobSpec& s) { s.image = "a/b", s.image_credentials = "ann:password"; }},
        Case{"secrets", [](JobSpec& s) { s.env["HF"] = "x", s.secrets["HF"] = "vault://ml/hf"; }},
        Case{"nodes", [](JobSpec& s) { s.nodes = 0; }},
        Case{"nodes", [](JobSpec& s) { s.nodes = 5'000; }},
        Case{"lease", [](JobSpec& s) { s.lease_ms = 2499; }},
        Case{"priority", [](JobSpec& s) { s.priority = 101; }},
        Case{"priority", [](JobSpec& s) { s.priority = -1; }},
        Case{"checkpoint_interval", [](JobSpec& s) { s.checkpoint_interval_ms = 10; }},
        Case{"checkpoint_interval", [](JobSpec& s) { s.checkpoint_interval_ms = -1; }},
        Case{"min_runtime", [](JobSpec& s) { s.min_runtime_ms = -1; }},
        Case{"min_runtime", [](JobSpec& s) { s.min_runtime_ms = 1, s.preemptible = false; }}));

TEST(SpecCheck, AcceptsAGoodOne) {
  EXPECT_TRUE(check_spec(JobId{"job-1"}, good()));
}

TEST(SpecCheck, RefusesAnIdentityThatIsNoLabel) {
  EXPECT_FALSE(check_spec(JobId{"Job 1"}, good()));
  EXPECT_FALSE(check_spec(JobId{""}, good()));
}

}  // namespace
}  // namespace lepton::deployer
