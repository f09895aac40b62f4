// bench_autoscale [--data DIR] [--quick]: replays the load traces of DIR/load-traces under every
// policy, with cold starts of 60 s and 5 s, and prints cost (replica hours over those of the
// cheapest plan without any wait) and the share of requests that waited longer than 1 s. The last
// line is JSON. Forecasting policies do not exist yet, so what compares them is null.

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string_view>

#include "bench/autoscale/model.hpp"
#include "bench/autoscale/plan.hpp"
#include "bench/autoscale/speed.hpp"
#include "common/base/text.hpp"
#include "services/scaler/core/adjustment.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"
#include "services/scaler/core/threshold.hpp"

namespace lepton::bench {
namespace {

constexpr double day_s = 86'400;

// `quick`: small enough for a check that everything works.
struct Run {
  TraceSource source;
  bool quick = false;
};

std::vector<Run> runs() {
  return {
      {{"azure_code", "azure_llm2023_code_1s.csv"}, true},
      {{"azure_conv", "azure_llm2023_conv_1s.csv"}, true},
      {{"mooncake", "mooncake_conversation_3s.csv", 3}, true},
      {{"burstgpt", "burstgpt1_d19-22_10s_semisynthetic.csv", 10, 0, 0, 4}},
      {{"twitter", "twitter_stream_202108_10s_filled.csv", 10, 0, 2 * day_s, 0.2}},
      {{"nasa", "nasa_http_199507_08_10s.csv", 10, 11 * day_s, 14 * day_s, 4}},
      {{"worldcup98", "worldcup98_60s.csv", 60, 55 * day_s, 57 * day_s, 0.01}},
      {{"servegen_r1", "servegen_deepseek_r1_1s_semisynthetic.csv"}},
  };
}

using Policies = std::vector<std::pair<std::string, std::unique_ptr<scaler::Policy>>>;

Policies policies(ServiceModel const& model) {
  scaler::Target const usage{scaler::Signal::cpu, 0.7}, whole{scaler::Signal::cpu, 1};
  scaler::Target const demand{scaler::Signal::concurrency, 0.7 * model.slots};
  scaler::Target const rate{scaler::Signal::requests_per_s, 0.7 * model.slots / model.service_s};
  Policies out;
  out.emplace_back("threshold", new scaler::Threshold({.target = whole}));
  out.emplace_back("hpa_util", new scaler::Hpa({.target = usage}));
  out.emplace_back("hpa_concurrency", new scaler::Hpa({.target = demand}));
  out.emplace_back("kpa", new scaler::Kpa({.target = demand}));
  out.emplace_back("adjustment", new scaler::Adjustment({.target = rate}));
  return out;
}

void print_row(std::string_view trace, double cold_s, std::string_view policy, Outcome const& o,
               double oracle_hours) {
  fmt::print("{:<12} {:>5g} {:<16} {:>9.2f} {:>6.2f} {:>8.3f} {:>8.2f} {:>8.1f} {:>7} {:>5}\n",
             trace, cold_s, policy, o.replica_hours, o.replica_hours / oracle_hours,
             o.violation_pct(), o.wait_p99_s, o.wait_max_s, o.starts, o.peak);
}

// The fields of one trace and one cold start; prints the rows.
std::string replay_all(Arrivals const& arrivals, std::vector<Step> const& steps, double cold_s) {
  ServiceModel model;
  model.cold_s = cold_s;
  auto const best =
      oracle(steps, model.slots, cold_s, arrivals.length_s, static_cast<int>(model.min));
  auto const peak = static_cast<std::uint32_t>(peak_replicas(steps, model.slots));
  std::string fields;
  auto const add = [&](std::string const& name, Outcome const& o) {
    print_row(arrivals.name, cold_s, name, o, best.replica_hours);
    fields += fmt::format("{}\"{}\": [{:.4f}, {:.4f}]", fields.empty() ? "" : ", ", name,
                          o.replica_hours / best.replica_hours, o.violation_pct());
  };
  scaler::Limits const limits{.min = model.min, .max = model.max};
  for (auto const& [name, policy] : policies(model))
    add(name, replay(arrivals, model, scaler_of(*policy, limits), first_replicas(arrivals, model)));
  add("fixed_peak", replay(arrivals, model, constant(peak), peak));
  return "{" + fields + "}";
}

Status run(std::string const& data, bool quick) {
  fmt::print("{:<12} {:>5} {:<16} {:>9} {:>6} {:>8} {:>8} {:>8} {:>7} {:>5}\n", "trace", "cold",
             "policy", "hours", "cost", "late %", "p99 s", "max s", "starts", "peak");
  std::vector<std::string> results;
  for (auto const& [source, small] : runs()) {
    if (quick && !small) continue;
    auto const arrivals = read_arrivals(data, source);
    if (!arrivals && arrivals.error().code == Code::not_found) {
      fmt::print("{:<12} skipped: {}\n", source.name, arrivals.error().what);
      continue;
    }
    if (!arrivals) return arrivals.error();
    if (arrivals->at_s.empty()) return Error{Code::invalid, source.file + " has no requests"};
    auto const steps = levels(arrivals->at_s, ServiceModel{}.service_s);
    auto const slow = replay_all(*arrivals, steps, 60), fast = replay_all(*arrivals, steps, 5);
    results.push_back(fmt::format("\"{}\": {{\"60\": {}, \"5\": {}}}", source.name, slow, fast));
  }
  auto const decide_ms = decisions_ms(10'000, quick ? 5 : 21);
  fmt::print("\n10,000 services decided in {:.2f} ms (one thread, half hpa, half kpa)\n",
             decide_ms);
  fmt::print(
      "{{\"results\": {{{}}}, \"dominates_hpa_and_kpa\": {{\"60\": null, \"5\": null}}, "
      "\"traces\": {}, \"decide_10000_services_ms\": {:.3f}}}\n",
      text::join(results, ", "), results.size(), decide_ms);
  return ok();
}

}  // namespace
}  // namespace lepton::bench

int main(int argc, char** argv) {
  std::string data = "data";
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view const argument = argv[i];
    if (argument == "--quick") {
      quick = true;
    } else if (argument == "--data" && i + 1 < argc) {
      data = argv[++i];
    } else {
      fmt::print(stderr, "bench_autoscale: unknown option {}\n", argument);
      return 1;
    }
  }
  auto const good = lepton::bench::run(data, quick);
  if (good) return 0;
  fmt::print(stderr, "bench_autoscale: {}\n", good.error().what);
  return 1;
}
