// Where the tasks of a gang find each other.

#include "services/deployer/core/gang.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/spec_check.hpp"

namespace lepton::deployer {
namespace {

GangPlace place(std::string node, std::string address, std::string hostname = "",
                std::uint32_t port = 20'000) {
  GangPlace p{NodeId{std::move(node)}, {}, port};
  if (!address.empty()) p.labels["address"] = std::move(address);
  if (!hostname.empty()) p.labels["hostname"] = std::move(hostname);
  return p;
}

std::vector<std::string> addresses(std::vector<GangPlace> const& places) {
  std::vector<std::string> all;
  for (auto const& member : gang_members(places)) all.push_back(member.address);
  return all;
}

TEST(GangMembers, StandInTheOrderOfTheTasksWithTheirPorts) {
  auto const members =
      gang_members({place("b", "10.0.0.2", "", 20'001), place("a", "10.0.0.1", "", 20'007)});
  EXPECT_EQ(members, (std::vector<GangMember>{{"10.0.0.2", 20'001}, {"10.0.0.1", 20'007}}));
  EXPECT_TRUE(gang_members({}).empty());
}

TEST(GangMembers, OnOneNodeMayMeetOnItsLoopback) {
  EXPECT_EQ(addresses({place("a", "127.0.0.1", "host"), place("a", "127.0.0.1", "host")}),
            (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}));
  EXPECT_EQ(addresses({place("a", ""), place("a", "")}),
            (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}));
}

TEST(GangMembers, OnSeveralNodesNeverMeetOnALoopback) {
  for (auto const* own : {"127.0.0.1", "127.1.2.3", "::1", "localhost", ""})
    EXPECT_EQ(addresses({place("a", own, "host-a"), place("b", "10.0.0.2", "host-b")}),
              (std::vector<std::string>{"host-a", "10.0.0.2"}));
  EXPECT_EQ(addresses({place("a", ""), place("b", "10.0.0.2")}),
            (std::vector<std::string>{"a", "10.0.0.2"}));
}

JobSpec gang() {
  JobSpec spec;
  spec.name = "gang";
  spec.command = {"work"};
  spec.nodes = 2;
  spec.resources.ports = 1;
  spec.gang_port = true;
  return spec;
}

TEST(GangSpec, KeepsItsVariablesAndNeedsItsPort) {
  EXPECT_TRUE(check_spec(JobId{"job"}, gang()));
  for (auto const* name : gang_variables) {
    auto spec = gang();
    spec.env[name] = "0";
    EXPECT_EQ(check_spec(JobId{"job"}, spec).error().what,
              "env: " + std::string(name) + " is set by the gang; remove it");
    spec.nodes = 1;
    spec.gang_port = false;
    EXPECT_TRUE(check_spec(JobId{"job"}, spec)) << "a single task may";
  }
  auto spec = gang();
  spec.secrets["MASTER_PORT"] = "vault://a/b";
  EXPECT_FALSE(check_spec(JobId{"job"}, spec));
  spec = gang();
  spec.resources.ports = 0;
  EXPECT_FALSE(check_spec(JobId{"job"}, spec));
  spec = gang();
  spec.nodes = 1;
  EXPECT_FALSE(check_spec(JobId{"job"}, spec));
}

}  // namespace
}  // namespace lepton::deployer
