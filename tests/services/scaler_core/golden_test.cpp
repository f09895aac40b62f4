// The policies on real load traces against figures of a reference model. The reference is another
// program in another language with rules written from the same sources (the controllers of
// Kubernetes and Knative); its figures are written down below.
//
// The model (bench/autoscale/model.hpp): arrivals from request counts per bin, spread evenly in
// bins of 1 s and by splitmix64 (seed 1) in wider ones; one queue, first come first served, before
// equal replicas with `slots` requests each; a fixed service time and a fixed cold start; billing
// from creation to the end of the drain; samples each second. The cost of a plan without any wait,
// which knows the future, is the oracle's. A violation is a wait above 1 s.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "bench/autoscale/model.hpp"
#include "bench/autoscale/plan.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"

namespace lepton::bench {
namespace {

constexpr double day_s = 86'400;

struct Setting {
  TraceSource source;
  ServiceModel model;
  double target;  // share of a replica's slots
};

std::map<std::string, Setting> const& settings() {
  static std::string const code = "azure_llm2023_code_1s.csv", conv = "azure_llm2023_conv_1s.csv",
                           burst = "burstgpt1_d19-22_10s_semisynthetic.csv",
                           nasa = "nasa_http_199507_08_10s.csv";
  static std::map<std::string, Setting> const all{
      {"code", {{"code", code}, {}, 0.7}},
      {"conv", {{"conv", conv}, {}, 0.7}},
      {"burst", {{"burst", burst, 10, 0, 0, 4}, {}, 0.7}},
      {"nasa", {{"nasa", nasa, 10, 11 * day_s, 14 * day_s, 4}, {}, 0.7}},
      {"code_at_most_12", {{"code", code}, {.max = 12}, 0.5}},
      {"conv_two_slots", {{"conv", conv, 1, 600, 2400, 0.5}, {.service_s = 3, .slots = 2}, 0.6}},
      {"burst_to_zero", {{"burst", burst, 10, 36'000, 79'200, 0.05}, {.min = 0}, 0.7}},
  };
  return all;
}

struct Golden {
  char const* setting;
  double cold_s;
  char const* policy;
  std::uint64_t requests;
  double replica_hours, oracle_hours;
  std::uint64_t violations;
  int starts, peak;
};

// clang-format off
constexpr Golden golden[] = {
    {"code", 60, "hpa_util", 8819, 6.78010, 7.56262, 3052, 15, 11},
    {"code", 60, "hpa_concurrency", 8819, 13.44078, 7.56262, 1721, 81, 46},
    {"code", 60, "kpa", 8819, 32.02113, 7.56262, 5124, 1036, 204},
    {"code", 5, "hpa_util", 8819, 7.39788, 2.90493, 2224, 20, 13},
    {"code", 5, "hpa_concurrency", 8819, 10.93650, 2.90493, 1287, 54, 28},
    {"code", 5, "kpa", 8819, 11.53423, 2.90493, 2777, 560, 98},
    {"conv", 60, "hpa_util", 19366, 5.14805, 5.08795, 1288, 8, 8},
    {"conv", 60, "hpa_concurrency", 19366, 10.00101, 5.08795, 411, 60, 60},
    {"conv", 60, "kpa", 19366, 5.71181, 5.08795, 343, 75, 44},
    {"conv", 5, "hpa_util", 19366, 4.91873, 3.98417, 158, 5, 6},
    {"conv", 5, "hpa_concurrency", 19366, 5.13614, 3.98417, 93, 7, 7},
    {"conv", 5, "kpa", 19366, 4.47165, 3.98417, 15, 35, 7},
    {"burst", 60, "hpa_util", 824532, 401.42281, 348.84377, 110418, 959, 38},
    {"burst", 60, "hpa_concurrency", 824532, 841.18441, 348.84377, 78364, 5695, 421},
    {"burst", 60, "kpa", 824532, 1451.21188, 348.84377, 321556, 44347, 700},
    {"burst", 5, "hpa_util", 824532, 426.89473, 229.75757, 42545, 1222, 46},
    {"burst", 5, "hpa_concurrency", 824532, 496.78269, 229.75757, 25534, 1967, 107},
    {"burst", 5, "kpa", 824532, 395.80426, 229.75757, 57464, 12036, 110},
    {"nasa", 60, "hpa_util", 1243368, 436.42194, 429.31969, 19158, 520, 23},
    {"nasa", 60, "hpa_concurrency", 1243368, 532.02696, 429.31969, 13564, 1539, 192},
    {"nasa", 60, "kpa", 1243368, 846.02034, 429.31969, 244667, 22325, 293},
    {"nasa", 5, "hpa_util", 1243368, 437.21361, 286.78686, 10587, 535, 23},
    {"nasa", 5, "hpa_concurrency", 1243368, 470.93502, 286.78686, 7679, 871, 35},
    {"nasa", 5, "kpa", 1243368, 452.82517, 286.78686, 59524, 11841, 73},
    {"code_at_most_12", 60, "hpa_util", 8819, 9.14858, 7.56262, 1764, 21, 12},
    {"code_at_most_12", 60, "hpa_concurrency", 8819, 10.01137, 7.56262, 1369, 27, 12},
    {"code_at_most_12", 60, "kpa", 8819, 8.19758, 7.56262, 4844, 207, 12},
    {"code_at_most_12", 5, "hpa_util", 8819, 9.53155, 2.90493, 1460, 27, 12},
    {"code_at_most_12", 5, "hpa_concurrency", 8819, 9.84470, 2.90493, 1007, 27, 12},
    {"code_at_most_12", 5, "kpa", 8819, 6.79366, 2.90493, 2410, 255, 12},
    {"conv_two_slots", 60, "hpa_util", 5781, 5.31403, 4.50122, 49, 11, 14},
    {"conv_two_slots", 60, "hpa_concurrency", 5781, 5.55217, 4.50122, 48, 12, 14},
    {"conv_two_slots", 60, "kpa", 5781, 5.68053, 4.50122, 200, 85, 49},
    {"conv_two_slots", 5, "hpa_util", 5781, 5.37222, 3.33889, 12, 11, 14},
    {"conv_two_slots", 5, "hpa_concurrency", 5781, 5.38051, 3.33889, 12, 11, 14},
    {"conv_two_slots", 5, "kpa", 5781, 4.30483, 3.33889, 7, 39, 12},
    {"burst_to_zero", 60, "hpa_util", 1299, 11.49612, 7.94345, 24, 13, 1},
    {"burst_to_zero", 60, "hpa_concurrency", 1299, 11.67112, 7.94345, 24, 15, 2},
    {"burst_to_zero", 60, "kpa", 1299, 10.47777, 7.94345, 211, 122, 4},
    {"burst_to_zero", 5, "hpa_util", 1299, 11.45862, 2.06369, 14, 13, 1},
    {"burst_to_zero", 5, "hpa_concurrency", 1299, 11.45862, 2.06369, 14, 13, 1},
    {"burst_to_zero", 5, "kpa", 1299, 9.15726, 2.06369, 107, 99, 1},
};
// clang-format on

std::unique_ptr<scaler::Policy> policy_of(std::string const& name, Setting const& s) {
  using scaler::Signal;
  auto const concurrency = s.target * s.model.slots;
  if (name == "hpa_util")
    return std::make_unique<scaler::Hpa>(scaler::HpaSettings{.target = {Signal::cpu, s.target}});
  if (name == "hpa_concurrency")
    return std::make_unique<scaler::Hpa>(
        scaler::HpaSettings{.target = {Signal::concurrency, concurrency}});
  return std::make_unique<scaler::Kpa>(
      scaler::KpaSettings{.target = {Signal::concurrency, concurrency}});
}

void expect_within_a_thousandth(double got, double wanted, char const* what) {
  EXPECT_NEAR(got, wanted, wanted * 0.001) << what;
}

class Reference : public testing::TestWithParam<std::string> {};

TEST_P(Reference, CostAndViolationsAreTheSame) {
  auto const* data = std::getenv("LEPTON_DATA");
  auto setting = settings().at(GetParam());
  auto const arrivals = read_arrivals(data ? data : "", setting.source);
  if (!arrivals && arrivals.error().code == Code::not_found)
    GTEST_SKIP() << "the trace is absent: set LEPTON_DATA to the folder that holds load-traces";
  ASSERT_TRUE(arrivals) << arrivals.error().what;
  auto& model = setting.model;
  auto const steps = levels(arrivals->at_s, model.service_s);
  int rows = 0;
  for (auto const& g : golden) {
    if (GetParam() != g.setting) continue;
    SCOPED_TRACE(testing::Message() << g.policy << ", cold start " << g.cold_s << " s");
    model.cold_s = g.cold_s;
    auto const best =
        oracle(steps, model.slots, model.cold_s, arrivals->length_s, static_cast<int>(model.min));
    auto const policy = policy_of(g.policy, setting);
    // The reference knows no idle time of its own: the policy alone decides about the last one.
    scaler::Limits const limits{.min = model.min, .max = model.max, .zero_after_ms = 0};
    auto const o =
        replay(*arrivals, model, scaler_of(*policy, limits), first_replicas(*arrivals, model));
    EXPECT_EQ(o.requests, g.requests);
    expect_within_a_thousandth(best.replica_hours, g.oracle_hours, "oracle");
    expect_within_a_thousandth(o.replica_hours, g.replica_hours, "cost");
    expect_within_a_thousandth(static_cast<double>(o.violations), static_cast<double>(g.violations),
                               "violations");
    expect_within_a_thousandth(o.starts, g.starts, "starts");
    EXPECT_EQ(o.peak, g.peak);
    ++rows;
  }
  EXPECT_EQ(rows, 6);
}

INSTANTIATE_TEST_SUITE_P(Traces, Reference,
                         testing::Values("code", "conv", "burst", "nasa", "code_at_most_12",
                                         "conv_two_slots", "burst_to_zero"),
                         [](auto const& chosen) { return chosen.param; });

}  // namespace
}  // namespace lepton::bench
