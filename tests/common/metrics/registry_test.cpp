#include "common/metrics/registry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "tests/common/metrics/page_parser.hpp"

namespace lepton::metrics {
namespace {

using testing::parse_page;
using testing::ParsedPage;

ParsedPage good_page(Registry const& registry) {
  auto const text = registry.render();
  auto page = parse_page(text);
  EXPECT_EQ(page.problem, "") << text;
  return page;
}

void fill(Registry& registry) {
  auto& requests = registry.counters("lepton_bus_requests_total", "Requests.", {"topic", "code"});
  requests.at({"deployer.job.submit", "ok"}).add(3);
  requests.at({"vault.secret.read", "de\"ni\\ed\n"}).add();
  registry.gauge("lepton_queue_jobs", "Jobs that wait.\nSee C:\\docs.").set(-2.5);
  auto const bounds = exponential_bounds(0.001, 10, 4);
  auto& waits = registry.histograms("lepton_queue_wait_seconds", "Wait.", {"pool"}, bounds);
  for (auto const seconds : {0.0005, 0.001, 0.002, 0.5, 100.0})
    waits.at({"default"}).observe(seconds);
  waits.at({"gpu"}).observe(0.01);
}

TEST(Registry, RendersThePageByteForByte) {
  Registry registry;
  registry.counters("lepton_b_total", "Two.", {"x"}).at({"1\"\\\n"}).add(2);
  registry.histogram("lepton_a_seconds", "One\\\n.", {0.5, 1}).observe(1);
  EXPECT_EQ(
      registry.render(),
      "# HELP lepton_a_seconds One\\\\\\n.\n"
      "# TYPE lepton_a_seconds histogram\n"
      "lepton_a_seconds_bucket{le=\"0.5\"} 0\n"
      "lepton_a_seconds_bucket{le=\"1\"} 1\n"
      "lepton_a_seconds_bucket{le=\"+Inf\"} 1\n"
      "lepton_a_seconds_sum 1\n"
      "lepton_a_seconds_count 1\n"
      "# HELP lepton_b_total Two.\n"
      "# TYPE lepton_b_total counter\n"
      "lepton_b_total{x=\"1\\\"\\\\\\n\"} 2\n"
      "# HELP lepton_metrics_overflow_total Look-ups of a series beyond the limit of its family.\n"
      "# TYPE lepton_metrics_overflow_total counter\n"
      "lepton_metrics_overflow_total{family=\"lepton_a_seconds\"} 0\n"
      "lepton_metrics_overflow_total{family=\"lepton_b_total\"} 0\n"
      "# HELP lepton_metrics_rejected_values_total Values not recorded: falling counters, not "
      "finite.\n"
      "# TYPE lepton_metrics_rejected_values_total counter\n"
      "lepton_metrics_rejected_values_total 0\n");
}

TEST(Registry, PagePassesTheStrictParser) {
  Registry registry;
  fill(registry);
  auto const page = good_page(registry);
  EXPECT_EQ(
      page.value("lepton_bus_requests_total", {{"topic", "deployer.job.submit"}, {"code", "ok"}}),
      3);
  EXPECT_EQ(page.value("lepton_bus_requests_total",
                       {{"topic", "vault.secret.read"}, {"code", "de\"ni\\ed\n"}}),
            1);
  EXPECT_EQ(page.value("lepton_queue_jobs"), -2.5);
  EXPECT_EQ(page.value("lepton_queue_wait_seconds_bucket", {{"pool", "default"}, {"le", "0.001"}}),
            2);
  EXPECT_EQ(page.value("lepton_queue_wait_seconds_bucket", {{"pool", "default"}, {"le", "1"}}), 4);
  EXPECT_EQ(page.value("lepton_queue_wait_seconds_count", {{"pool", "default"}}), 5);
  EXPECT_EQ(page.value("lepton_queue_wait_seconds_count", {{"pool", "gpu"}}), 1);
}

TEST(Registry, AnEmptyOneIsAGoodPage) {
  Registry registry;
  registry.counters("lepton_jobs_total", "Jobs.",
                    {"state"});  // no series yet: no HELP without samples
  EXPECT_EQ(good_page(registry).find("lepton_jobs_total"), nullptr);
}

TEST(Registry, SamePlaceForTheSameDeclarationAndLabels) {
  Registry registry;
  auto& jobs = registry.counters("lepton_jobs_total", "Jobs.", {"state"});
  EXPECT_EQ(&jobs, &registry.counters("lepton_jobs_total", "Jobs.", {"state"}));
  EXPECT_EQ(&jobs.at({"done"}), &jobs.at({"done"}));
  EXPECT_NE(&jobs.at({"done"}), &jobs.at({"lost"}));
}

TEST(Registry, OverflowSharesOneSeriesAndIsCounted) {
  Registry registry(3);
  auto& jobs = registry.counters("lepton_jobs_total", "Jobs.", {"user", "state"});
  for (int i = 0; i < 10; ++i) jobs.at({"u" + std::to_string(i), "done"}).add();
  jobs.at({"u1", "done"}).add();  // known ones still count for themselves
  auto const page = good_page(registry);
  EXPECT_EQ(page.find("lepton_jobs_total")->samples.size(), 4u);
  EXPECT_EQ(page.value("lepton_jobs_total", {{"user", "overflow"}, {"state", "overflow"}}), 7);
  EXPECT_EQ(page.value("lepton_jobs_total", {{"user", "u1"}, {"state", "done"}}), 2);
  EXPECT_EQ(page.value("lepton_metrics_overflow_total", {{"family", "lepton_jobs_total"}}), 7);
}

TEST(Registry, ValuesThatWouldSpoilASeriesAreCountedInstead) {
  Registry registry;
  auto& jobs = registry.counter("lepton_jobs_total", "Jobs.");
  auto& waits = registry.histogram("lepton_wait_seconds", "Wait.", {1});
  auto const nan = std::numeric_limits<double>::quiet_NaN();
  jobs.add(2), jobs.add(-1), jobs.add(nan), jobs.add(HUGE_VAL);
  waits.observe(0.5), waits.observe(nan), waits.observe(-HUGE_VAL);
  auto const page = good_page(registry);
  EXPECT_EQ(page.value("lepton_jobs_total"), 2);
  EXPECT_EQ(page.value("lepton_wait_seconds_count"), 1);
  EXPECT_EQ(page.value("lepton_wait_seconds_sum"), 0.5);
  EXPECT_EQ(page.value("lepton_metrics_rejected_values_total"), 5);
}

TEST(Registry, BadLabelBytesDoNotBreakThePage) {
  Registry registry;
  registry.gauges("lepton_x", "X.", {"a"}).at({"\xFF\r"}).set(1);
  EXPECT_EQ(good_page(registry).value("lepton_x", {{"a", "??"}}), 1);
}

using RegistryDeathTest = ::testing::Test;

TEST(RegistryDeathTest, WrongDeclarationsStopTheProcess) {
  Registry registry;
  registry.gauge("lepton_x", "X.");
  registry.histogram("lepton_h_seconds", "H.", {1});
  EXPECT_DEATH(registry.gauge("lepton_x", "Y."), "declared twice");
  EXPECT_DEATH(registry.counter("lepton_w", "W."), "_total");
  EXPECT_DEATH(registry.counter("lepton_x", "X."), "declared twice");
  EXPECT_DEATH(registry.gauge("x", "X."), "lepton_");
  EXPECT_DEATH(registry.gauge("lepton_y", ""), "sentence");
  EXPECT_DEATH(registry.gauges("lepton_y", "Y.", {"a", "a"}), "once");
  EXPECT_DEATH(registry.gauges("lepton_y", "Y.", {"le"}), "format");
  EXPECT_DEATH(registry.histogram("lepton_g_seconds", "G.", {2, 1}), "rise");
  EXPECT_DEATH(registry.gauges("lepton_z", "Z.", {"a"}).at({}), "exactly one value");
  EXPECT_DEATH(registry.counter("lepton_metrics_overflow_total", "Mine."), "same name");
}

TEST(Registry, CountsFromManyThreadsAreAllThere) {
  Registry registry;
  auto& jobs = registry.counters("lepton_jobs_total", "Jobs.", {"state"});
  auto& waits = registry.histogram("lepton_wait_seconds", "Wait.", {1, 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5'000; ++i) {
        jobs.at({i % 2 == 0 ? "even" : "odd"}).add();
        waits.observe(t);
      }
    });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(parse_page(registry.render()).problem, "");
  for (auto& thread : threads) thread.join();
  auto const page = good_page(registry);
  EXPECT_EQ(page.value("lepton_jobs_total", {{"state", "even"}}), 10'000);
  EXPECT_EQ(page.value("lepton_jobs_total", {{"state", "odd"}}), 10'000);
  EXPECT_EQ(page.value("lepton_wait_seconds_count"), 20'000);
  EXPECT_EQ(page.value("lepton_wait_seconds_sum"), 30'000);
}

RC_GTEST_PROP(Registry, AnyObservationsGiveAGoodPage,
              (std::vector<double> const& values, std::string const& label)) {
  Registry registry(2);
  auto& waits = registry.histograms("lepton_x_ratio", "X.", {"a"}, {-1, 0, 1e-3, 1, 1e30});
  auto& sizes = registry.gauges("lepton_x_bytes", "X.", {"a"});
  for (auto const value : values) {
    waits.at({label}).observe(value);
    sizes.at({label + number(value)}).set(value);
  }
  RC_ASSERT(parse_page(registry.render()).problem == "");
}

TEST(Registry, PromtoolAcceptsThePage) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  Registry registry;
  fill(registry);
  auto const file = std::filesystem::path(::testing::TempDir()) / "lepton_metrics_page.txt";
  std::ofstream(file) << registry.render();
  EXPECT_EQ(std::system(("promtool check metrics < '" + file.string() + "'").c_str()), 0);
  std::ofstream(file) << "lepton_x 1";  // what it refuses, so that the check above means something
  EXPECT_NE(
      std::system(("promtool check metrics >/dev/null 2>&1 < '" + file.string() + "'").c_str()), 0);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace lepton::metrics
