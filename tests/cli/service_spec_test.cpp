#include "cli/spec/service_spec.hpp"

#include <gtest/gtest.h>

namespace lepton::cli {
namespace {

Result<ServiceSpec> parse(std::string const& lines) {
  return parse_service_spec("type: service\nname: web\ncommand: [python3, serve.py]\n" + lines,
                            "/specs", [](std::string const&) {
                              return Result<std::string>(Error{Code::not_found, "none"});
                            });
}

std::string refusal(std::string const& lines) {
  auto const spec = parse(lines);
  return spec ? "accepted" : spec.error().what;
}

TEST(ServiceSpecFile, TheSmallestOneHasDefaults) {
  auto const spec = parse("");
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->name, "web");
  EXPECT_EQ(spec->min, 1u);
  EXPECT_EQ(spec->max, 1u);
  EXPECT_EQ(spec->task.resources.ports, 1u);
  EXPECT_EQ(spec->max_surge, 1u);
  EXPECT_FALSE(spec->task.retry.on_interruption);
  EXPECT_FALSE(spec->scale);
}

TEST(ServiceSpecFile, SomeReplicasStayOffSpotNodes) {
  auto const spec = parse("replicas: 3\nspot: preferred\non_demand_base: 1\n");
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->task.on_demand_base, 1u);
  EXPECT_EQ(spec->task.resources.where.spot, SpotUse::preferred);
}

TEST(ServiceSpecFile, EveryFieldArrives) {
  auto const spec = parse(R"(replicas: {min: 1, max: 3}
port: 7121
env: {A: b}
ports: 2
drain: 20s
update: {max_surge: 2, max_unavailable: 1, progress: 5m}
probes:
  startup: {tcp: true, failures: 30}
  readiness: {http: /ready, period: 500ms, timeout: 2s, successes: 2}
  liveness: {command: [/bin/true]}
scale: {policy: hpa, signal: requests_per_s, per_replica: 12.5, down_cooldown: 10s}
)");
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->max, 3u);
  EXPECT_EQ(spec->port, 7121u);
  EXPECT_EQ(spec->task.resources.ports, 2u);
  EXPECT_EQ(spec->drain_ms, 20'000);
  EXPECT_EQ(spec->progress_ms, 300'000);
  EXPECT_EQ(spec->max_unavailable, 1u);
  EXPECT_EQ(spec->task.probes.startup->failures, 30u);
  EXPECT_EQ(*spec->task.probes.readiness, (Probe{ProbeKind::http, "/ready", {}, 500, 2'000, 2, 3}));
  EXPECT_EQ(spec->task.probes.liveness->kind, ProbeKind::command);
  EXPECT_EQ(spec->scale->limits.max, 3u);
  EXPECT_EQ(spec->scale->limits.down_cooldown_ms, 10'000);
  EXPECT_EQ(parse("replicas: 4")->min, 4u);
  auto const idle = parse(
      "replicas: {min: 0, max: 2}\nhold: 1m\n"
      "scale: {per_replica: 1, zero_after: 5m, window: 10s}");
  ASSERT_TRUE(idle) << idle.error().what;
  EXPECT_EQ(idle->min, 0u);
  EXPECT_EQ(idle->hold_ms, 60'000);
  EXPECT_EQ(idle->scale->limits.zero_after_ms, 300'000);
  EXPECT_EQ(idle->scale->window_ms, 10'000);
  EXPECT_EQ(parse("replicas: 4")->hold_ms, 30'000);
  auto const shared = parse(
      "scale: {policy: adjustment, per_replica: 5, keep: 0.9, share: 0.4, period: 20s, "
      "follows: web}");
  ASSERT_TRUE(shared) << shared.error().what;
  EXPECT_EQ(shared->scale->adjustment, (ScaleAdjustment{0.9, 0.4, 20'000, "web"}));
}

TEST(ServiceSpecFile, RefusalsNameLineAndField) {
  struct Case {
    char const* lines;
    char const* what;
  };
  for (auto const& [lines, what] : std::initializer_list<Case>{
           {"retry: {max: 1}", "line 4: retry: belongs to jobs"},
           {"array: 2", "line 4: array: belongs to jobs"},
           {"nodes: 2", "line 4: nodes: belongs to jobs"},
           {"replicas: many", "line 4: replicas.min"},
           {"replicas: {min: 3, max: 2}", "line 4: replicas.min: is above"},
           {"replicas: 0", "line 4: replicas.max"},
           {"replicas: {min: 0, max: 2}", "line 4: replicas.min: is 0, and nobody"},
           {"probes: {readiness: {}}", "line 4: probes.readiness: needs one of"},
           {"probes: {readiness: {http: ready}}", "line 4: probes.readiness.http: must begin"},
           {"probes: {readiness: {tcp: true, http: /}}", "line 4: probes.readiness: needs one of"},
           {"probes: {liveness: {tcp: true, period: 1ms}}", "line 4: probes.liveness.period"},
           {"update: {max_surge: 0}", "line 4: update: with max_surge"},
           {"update: {progress: 0m}", "line 4: update.progress: must be at least 1s"},
           {"hold: 1h", "line 4: hold: '1h' is too much"},
           {"scale: {per_replica: 1, window: 3m}", "line 4: scale.window: '3m' is too much"},
           {"drain: soon", "line 4: drain: 'soon' is not a duration"},
           {"scale: {signal: cpu, per_replica: 1}", "line 4: scale.policy: must be hpa or"},
           {"scale: {per_replica: 0}", "line 4: scale.per_replica: must be above 0"},
           {"scale: {per_replica: 1, share: 0.5}", "line 4: scale.policy: must be adjustment"},
           {"scale: {policy: adjustment, per_replica: 1, share: 2}",
            "line 4: scale.share: must be"},
           {"scale: {policy: adjustment, per_replica: 1, keep: -1}", "line 4: scale.keep: must be"},
           {"scale: {policy: adjustment, per_replica: 1, period: 0s}", "line 4: scale.period"},
           {"scale: {policy: staffing, signal: requests_per_s, per_replica: 1}",
            "line 4: scale.signal: must be concurrency"},
           {"port: 0", "line 4: port"},
           {"setup: x", "line 4: setup: not supported yet"},
           {"reples: 3", "line 4: reples: unknown field"}})
    EXPECT_EQ(refusal(lines).find(what), 0u) << lines << ": " << refusal(lines);
}

TEST(ServiceSpecFile, AJobIsSentToItsOwnCommand) {
  auto const spec = parse_service_spec("name: a\ncommand: [b]\n", "/", nullptr);
  ASSERT_FALSE(spec);
  EXPECT_NE(spec.error().what.find("lepton apply -f"), std::string::npos);
}

}  // namespace
}  // namespace lepton::cli
