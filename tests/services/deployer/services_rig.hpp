#pragma once
// A deployer with a balancer in memory and one node whose replicas say what the test wants.

#include "schemas/scaler.hpp"
#include "services/deployer/balancer/fake_balancer.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {

inline constexpr std::uint32_t entrance = 7'120;

class ServicesTest : public DeployerTest {
 protected:
  std::shared_ptr<FakeBalancer> balancer = std::make_shared<FakeBalancer>(entrance, 2);
  As const ops{.name = "root", .policies = {"admin"}, .token = "token-of-root"};

  void boot_services() {
    deployer_settings.entrance_first = entrance;
    deployer_settings.entrance_count = 2;
    boot_service("deployer",
                 [this] { return std::make_unique<Deployer>(deployer_settings, balancer); });
    rest();
  }
  void SetUp() override {
    boot_services();
    beat();
  }
  void rest() {
    settle();
    while (!worker.done.empty()) pop(worker.done), settle();
  }
  // A node that runs what it is told and whose replicas say `readiness`.
  Readiness readiness = Readiness::yes;
  void beat() {
    rest();
    auto const got = orders(n1);
    for (auto const& start : got.starts) n1.says(start.attempt, AttemptState::running);
    for (auto const& stop : got.stops) n1.says(stop.attempt, AttemptState::exited, 143);
    for (auto const& done : got.acknowledged) n1.reports.erase(done);
    for (auto const& probe : got.probes) n1.reports[probe.attempt].readiness = readiness;
    rest();
  }
  void live(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      beat(), beat(), beat();
      for (int k = 0; k < 10; ++k) advance(100), rest();
    }
  }
  ServiceSpec web(std::uint32_t replicas = 2) {
    ServiceSpec s;
    s.name = s.task.name = "web";
    s.task.command = {"serve"};
    s.task.resources.ports = 1;
    s.task.resources.cpu_milli = 500;
    s.task.lease_ms = 10'000;
    s.task.retry = {0, false, false, {}, 1000};
    s.task.probes.readiness = Probe{ProbeKind::http, "/"};
    s.min = s.max = replicas;
    return s;
  }
  ServiceSpec other(std::uint32_t replicas = 2) {
    auto s = web(replicas);
    s.task.env["VERSION"] = "2";
    return s;
  }
  Result<ServiceApplied> apply(ServiceSpec const& s) { return ask(ServiceApply{s}, ops); }
  ServiceView show() {
    auto const got = ask(ServiceShow{"web"}, ops);
    EXPECT_TRUE(got) << got.error().what;
    return got ? *got : ServiceView{};
  }
  std::vector<ServiceLine> show_all() { return ask(ServiceList{}, ops)->services; }
  std::size_t ready() { return show().line.ready; }
  std::set<std::uint32_t> templates() {
    std::set<std::uint32_t> found;
    for (auto const& replica : show().replicas) found.insert(replica.revision);
    return found;
  }
  AttemptId attempt_of(ReplicaView const& replica) { return attempt_id(replica.job, 0, 1); }
};

}  // namespace lepton::deployer::testing
