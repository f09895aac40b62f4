#include "services/deployer/core/service_check.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

ServiceSpec good() {
  ServiceSpec spec;
  spec.name = spec.task.name = "web";
  spec.task.command = {"/usr/bin/python3", "serve.py"};
  spec.task.resources.ports = 1;
  spec.task.retry = {0, false, false, {}, 1000};
  spec.task.probes.readiness = Probe{ProbeKind::http, "/ready"};
  spec.max = 3;
  return spec;
}

struct Case {
  char const* field;  // that the refusal must name
  void (*spoil)(ServiceSpec&);
};

class ServiceRefused : public testing::TestWithParam<Case> {};

TEST_P(ServiceRefused, NamesTheField) {
  auto spec = good();
  GetParam().spoil(spec);
  auto const checked = check_service(spec);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::invalid);
  EXPECT_EQ(checked.error().what.find(GetParam().field), 0u) << checked.error().what;
}

auto const cases = testing::Values(
    Case{"name", [](ServiceSpec& s) { s.name = "Web"; }},
    Case{"name", [](ServiceSpec& s) { s.name = s.task.name = std::string(51, 'a'); }},
    Case{"name", [](ServiceSpec& s) { s.task.name = "other"; }},
    Case{"replicas.max", [](ServiceSpec& s) { s.max = 0; }},
    Case{"replicas.min", [](ServiceSpec& s) { s.min = 4; }},
    Case{"replicas.min: is 0, and nobody", [](ServiceSpec& s) { s.min = 0; }},
    Case{"replicas.min: is 0, and no request",
         [](ServiceSpec& s) {
           s.min = 0;
           s.scale.emplace().limits = {.min = 0, .max = 3};
           s.task.resources.ports = 0;
           s.task.probes = {};
         }},
    Case{"hold",
         [](ServiceSpec& s) {
           s.min = s.hold_ms = 0;
           s.scale.emplace().limits = {.min = 0, .max = 3};
         }},
    Case{"hold", [](ServiceSpec& s) { s.hold_ms = 600'001; }},
    Case{"update", [](ServiceSpec& s) { s.max_surge = 0; }},
    Case{"update.progress", [](ServiceSpec& s) { s.progress_ms = 1; }},
    Case{"drain", [](ServiceSpec& s) { s.drain_ms = -1; }},
    Case{"port", [](ServiceSpec& s) { s.port = 70'000; }},
    Case{"scale", [](ServiceSpec& s) { s.scale = ScaleSettings{}; }},
    Case{"nodes", [](ServiceSpec& s) { s.task.nodes = 2; }},
    Case{"max_duration", [](ServiceSpec& s) { s.task.max_duration_ms = 1; }},
    Case{"retry", [](ServiceSpec& s) { s.task.retry.on_interruption = true; }},
    Case{"no_fit", [](ServiceSpec& s) { s.task.no_fit = NoFit::refuse; }},
    Case{"array", [](ServiceSpec& s) { s.task.array = 2; }},
    Case{"after", [](ServiceSpec& s) { s.task.after.push_back({}); }},
    Case{"command", [](ServiceSpec& s) { s.task.command.clear(); }},
    Case{"probes.readiness", [](ServiceSpec& s) { s.task.resources.ports = 0; }},
    Case{"probes.readiness", [](ServiceSpec& s) { s.task.probes.readiness->path = "ready"; }},
    Case{"probes.readiness", [](ServiceSpec& s) { s.task.probes.readiness->path = "/a\r\nX: y"; }},
    Case{"probes.readiness", [](ServiceSpec& s) { s.task.probes.readiness->kind = {}; }},
    Case{"probes.readiness", [](ServiceSpec& s) { s.task.probes.readiness->command = {"true"}; }},
    Case{"probes.liveness",
         [](ServiceSpec& s) { s.task.probes.liveness = Probe{ProbeKind::command}; }},
    Case{"probes.liveness.period",
         [](ServiceSpec& s) { s.task.probes.liveness = Probe{ProbeKind::tcp, "", {}, 1}; }},
    Case{"probes.startup.timeout", [](ServiceSpec& s) {
           s.task.probes.startup = Probe{ProbeKind::tcp, "", {}, 500, 0};
         }});
INSTANTIATE_TEST_SUITE_P(Fields, ServiceRefused, cases);

TEST(ServiceCheck, TakesAGoodOne) {
  auto const checked = check_service(good());
  EXPECT_TRUE(checked) << checked.error().what;
}

}  // namespace
}  // namespace lepton::deployer
