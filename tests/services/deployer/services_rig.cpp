#include "tests/services/deployer/services_rig.hpp"

namespace lepton::deployer::testing {

ServicesTest::ServicesTest() = default;
ServicesTest::~ServicesTest() = default;

void ServicesTest::boot_services() {
  deployer_settings.entrance_first = entrance;
  deployer_settings.entrance_count = 2;
  boot_service("deployer",
               [this] { return std::make_unique<Deployer>(deployer_settings, balancer); });
  rest();
}

void ServicesTest::SetUp() {
  boot_services();
  beat();
}

void ServicesTest::rest() {
  settle();
  while (!worker.done.empty()) pop(worker.done), settle();
}

void ServicesTest::beat() {
  rest();
  auto const got = orders(n1);
  for (auto const& start : got.starts) n1.says(start.attempt, AttemptState::running);
  for (auto const& stop : got.stops) n1.says(stop.attempt, AttemptState::exited, 143);
  for (auto const& done : got.acknowledged) n1.reports.erase(done);
  for (auto const& probe : got.probes) n1.reports[probe.attempt].readiness = readiness;
  rest();
}

void ServicesTest::live(int seconds) {
  for (int i = 0; i < seconds; ++i) {
    beat(), beat(), beat();
    for (int k = 0; k < 10; ++k) advance(100), rest();
  }
}

ServiceSpec ServicesTest::web(std::uint32_t replicas) {
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

ServiceSpec ServicesTest::other(std::uint32_t replicas) {
  auto s = web(replicas);
  s.task.env["VERSION"] = "2";
  return s;
}

Result<ServiceApplied> ServicesTest::apply(ServiceSpec const& s) {
  return ask(ServiceApply{s}, ops);
}

ServiceView ServicesTest::show() {
  auto const got = ask(ServiceShow{"web"}, ops);
  EXPECT_TRUE(got) << got.error().what;
  return got ? *got : ServiceView{};
}

ReplicaView ServicesTest::ended_behind_a_deaf_balancer() {
  EXPECT_TRUE(apply(web(1)));
  live(2);
  auto const replica = show().replicas.at(0);
  balancer->go_away(true);
  n1.says(attempt_of(replica), AttemptState::exited, 1);
  return replica;
}

std::vector<ServiceLine> ServicesTest::show_all() {
  return ask(ServiceList{}, ops)->services;
}

std::set<std::uint32_t> ServicesTest::templates() {
  std::set<std::uint32_t> found;
  for (auto const& replica : show().replicas) found.insert(replica.revision);
  return found;
}

}  // namespace lepton::deployer::testing
