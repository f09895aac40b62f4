#pragma once
// A deployer with a balancer in memory and one node whose replicas say what the test wants.

#include "schemas/scaler.hpp"
#include "services/deployer/balancer/fake_balancer.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {

inline constexpr std::uint32_t entrance = 7'120;

class ServicesTest : public DeployerTest {
 protected:
  ServicesTest();
  ~ServicesTest() override;

  std::shared_ptr<FakeBalancer> balancer = std::make_shared<FakeBalancer>(entrance, 2);
  As const ops{.name = "root", .policies = {"admin"}, .token = "token-of-root"};

  void boot_services();
  void SetUp() override;
  void rest();
  // A node that runs what it is told and whose replicas say `readiness`.
  Readiness readiness = Readiness::yes;
  void beat();
  void live(int seconds);
  ServiceSpec web(std::uint32_t replicas = 2);
  ServiceSpec other(std::uint32_t replicas = 2);
  Result<ServiceApplied> apply(ServiceSpec const& s);
  ServiceView show();
  std::vector<ServiceLine> show_all();
  std::size_t ready() { return show().line.ready; }
  std::set<std::uint32_t> templates();
  // A replica that was ready has ended, and the balancer cannot be told.
  ReplicaView ended_behind_a_deaf_balancer();
  AttemptId attempt_of(ReplicaView const& replica) { return attempt_id(replica.job, 0, 1); }
};

}  // namespace lepton::deployer::testing
