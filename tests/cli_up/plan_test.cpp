// Settings files from a plan: pure.

#include "cli/up/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/up/access.hpp"
#include "cli/up/keeper.hpp"
#include "cli/up/node.hpp"
#include "common/bus/access/policy.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

StackPlan plan() {
  StackPlan p;
  p.layout = {"/srv/lepton", "/srv/lepton/run", "/srv/lepton/client.yaml"};
  p.settings.port_base = 9000;
  p.settings.node_name = "gpu-7";
  for (auto const& name : service_names()) p.public_keys[name] = std::string(40, name.front());
  p.public_keys["admin"] = std::string(40, 'A');
  p.public_keys["node"] = std::string(40, 'N');
  return p;
}

TEST(Plan, GivesEveryDoorAPortOfItsOwn) {
  auto const ports = ports_of(plan().settings);
  auto const doors = 4 * service_names().size() + 1;
  EXPECT_EQ(ports.size(), doors);
  EXPECT_EQ(std::set(ports.begin(), ports.end()).size(), doors);
  EXPECT_EQ(ports.front(), 9000);
  EXPECT_EQ(*std::max_element(ports.begin(), ports.end()),
            9000 + static_cast<std::int64_t>(doors) - 1);
}

TEST(Plan, PeersKnowEachOtherAsTheyListen) {
  auto const p = plan();
  for (auto const& name : service_names()) {
    auto const own = service_config(p, name);
    EXPECT_EQ(own.service, name);
    EXPECT_EQ(own.admin_key, p.public_keys.at("admin"));
    EXPECT_EQ(own.peers.size(), service_names().size() - 1);
    for (auto const& peer : own.peers) {
      EXPECT_NE(peer.name, name);
      auto const other = service_config(p, peer.name);
      EXPECT_EQ(peer.request_endpoint, other.peer_endpoint);
      EXPECT_EQ(peer.hint_endpoint, other.hint_endpoint);
      EXPECT_EQ(peer.public_key, p.public_keys.at(peer.name));
    }
  }
}

TEST(Plan, MetricsAreForThisMachineOnly) {
  auto p = plan();
  p.settings.listen = "0.0.0.0";
  auto const after = 9000 + 3 * static_cast<std::int64_t>(service_names().size());
  EXPECT_EQ(service_config(p, "vault").metrics_endpoint, "127.0.0.1:" + std::to_string(after));
}

TEST(Plan, OnlyTheMonitorPostsAlerts) {
  auto p = plan();
  p.settings.alert_url_file = "/etc/lepton/alert.url";
  EXPECT_EQ(service_config(p, "monitor").alert_url_file, "/etc/lepton/alert.url");
  EXPECT_EQ(service_config(p, "vault").alert_url_file, "");
}

TEST(Plan, OnlyClientDoorsListenWider) {
  auto p = plan();
  p.settings.listen = "0.0.0.0";
  auto const config = service_config(p, "deployer");
  EXPECT_EQ(config.client_endpoint, "tcp://0.0.0.0:9007");
  EXPECT_EQ(config.peer_endpoint, "tcp://127.0.0.1:9006");
  EXPECT_EQ(config.hint_endpoint, "tcp://127.0.0.1:9008");
  EXPECT_EQ(client_context(p).deployer_endpoint, "tcp://127.0.0.1:9007");
}

StackPlan plan_apart() {
  auto p = plan();
  p.layout.apart = true;
  p.settings.inside = "10.171.1.10";
  p.settings.door = "10.171.2.10";
  p.haproxy = "haproxy";
  return p;
}

TEST(PlanApart, EachPartHasItsAddressInBothNetworks) {
  auto const p = plan_apart();
  std::set<std::string> inside;
  for (auto const* part : stack_parts) inside.insert(address_in(p.settings.inside, part));
  EXPECT_EQ(inside.size(), std::size(stack_parts));
  for (auto const& name : service_names()) {
    auto const own = service_config(p, name);
    auto const address = address_in("10.171.1.10", name);
    EXPECT_TRUE(own.peer_endpoint.starts_with("tcp://" + address + ":")) << own.peer_endpoint;
    EXPECT_TRUE(own.hint_endpoint.starts_with("tcp://" + address + ":")) << own.hint_endpoint;
    EXPECT_TRUE(own.metrics_endpoint.starts_with(address + ":")) << own.metrics_endpoint;
    EXPECT_TRUE(own.client_endpoint.starts_with("tcp://0.0.0.0:")) << own.client_endpoint;
    for (auto const& peer : own.peers)
      EXPECT_EQ(peer.request_endpoint, service_config(p, peer.name).peer_endpoint);
  }
}

TEST(PlanApart, EverybodyReachesClientDoorsFromWhereHeIs) {
  auto p = plan_apart();
  EXPECT_EQ(client_context(p).deployer_endpoint, "tcp://127.0.0.1:9007");
  EXPECT_EQ(node_setup(p).deployer_endpoint, "tcp://10.171.2.12:9007");
  EXPECT_EQ(node_setup(p).metrics_endpoint, "10.171.2.15:9020");
  EXPECT_EQ(client_endpoint(p, "vault"), "tcp://127.0.0.1:9001");
  p.from_inside = true;
  EXPECT_EQ(client_endpoint(p, "vault"), "tcp://10.171.1.10:9001");
}

TEST(PlanApart, NoPartFindsTheSecretsOfAnotherInItsFolders) {
  auto const l = plan_apart().layout;
  std::set<std::filesystem::path> folders;
  for (auto const& name : service_names()) {
    EXPECT_EQ(l.keys(name).parent_path(), l.config(name).parent_path());
    folders.insert(l.keys(name).parent_path());
    folders.insert(l.url(name).parent_path());
  }
  for (auto const& path : {l.keys("admin"), l.keys("node"), l.node_token(), l.reader_url(),
                           l.haproxy_config(), l.haproxy_socket(), l.postgres_data()})
    folders.insert(path.parent_path());
  EXPECT_EQ(folders.size(), 2 * service_names().size() + 7);
  EXPECT_EQ(l.root_key().parent_path(), l.keys("admin").parent_path());
}

TEST(PlanApart, RefusesNetworksWithoutRoomForAllParts) {
  auto settings = plan_apart().settings;
  EXPECT_TRUE(check_settings(settings));
  for (auto const* bad : {"10.171.1.250", "10.171.1", "inside", "10.171.1.0/24"}) {
    settings.inside = bad;
    EXPECT_FALSE(check_settings(settings)) << bad;
    settings = plan_apart().settings;
    settings.door = bad;
    EXPECT_FALSE(check_settings(settings)) << bad;
    settings = plan_apart().settings;
  }
}

TEST(Plan, FilesSurviveTheirYamlForm) {
  auto const config = service_config(plan(), "vault");
  auto const back = codec::from_yaml<service::Config>(codec::to_yaml(config));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->client_endpoint, config.client_endpoint);
  EXPECT_EQ(back->peers.size(), config.peers.size());
  auto const settings = codec::from_yaml<StackSettings>(codec::to_yaml(plan().settings));
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(*settings, plan().settings);
}

TEST(Plan, ContextNamesTheFilesOfTheAdministrator) {
  auto const context = client_context(plan());
  EXPECT_EQ(context.vault_key, plan().public_keys.at("vault"));
  EXPECT_EQ(context.keys_file, "/srv/lepton/keys/admin.keys");
  EXPECT_EQ(context.token_file, "/srv/lepton/admin.token");
  EXPECT_EQ(context.root_key_file, "/srv/lepton/vault.key");
  EXPECT_EQ(context.audit_reader_url_file, "/srv/lepton/reader.url");
}

TEST(Plan, HostNamesBecomeNamesOfNodes) {
  EXPECT_EQ(node_name_of("GPU-7.example.org"), "gpu-7");
  EXPECT_EQ(node_name_of("-_x"), "x");
  EXPECT_EQ(node_name_of("node one"), "nodeone");
  EXPECT_EQ(node_name_of("..."), "node");
  EXPECT_EQ(node_name_of(std::string(200, 'a')).size(), 63u);
}

TEST(Plan, RefusesSettingsThatNoServiceCouldUse) {
  auto settings = plan().settings;
  EXPECT_TRUE(check_settings(settings));
  settings.listen = "localhost";
  EXPECT_FALSE(check_settings(settings));
  settings = plan().settings;
  settings.port_base = 65530;
  EXPECT_FALSE(check_settings(settings));
  settings = plan().settings;
  settings.node_name = "Not Legal";
  EXPECT_FALSE(check_settings(settings));
}

TEST(Plan, ANodeMaySpeakForItselfOnly) {
  auto const set = access::PolicySet::create({node_policy()});
  ASSERT_TRUE(set) << set.error().what;
  auto const may = [&](char const* path, Verb verb) {
    return set->decide("gpu-7", {"node"}, access::ResourcePath::parse(path).value(), verb).allowed;
  };
  EXPECT_TRUE(may("node/gpu-7", Verb::write));
  EXPECT_FALSE(may("node/gpu-8", Verb::write));
  EXPECT_FALSE(may("node/gpu-7", Verb::manage));
  EXPECT_FALSE(may("secret/ml/hf", Verb::read));
}

TEST(Plan, TokensAreRenewedAWeekBeforeTheyEnd) {
  TokenClaims claims;
  claims.expires_at_ms = 100 * 86'400'000ll;
  EXPECT_FALSE(is_stale(claims, claims.expires_at_ms - 8 * 86'400'000ll));
  EXPECT_TRUE(is_stale(claims, claims.expires_at_ms - 6 * 86'400'000ll));
  EXPECT_TRUE(is_stale(std::nullopt, 0));
}

TEST(Plan, PausesGrowToALimit) {
  EXPECT_EQ(pause_before(1), 200);
  EXPECT_EQ(pause_before(2), 400);
  EXPECT_EQ(pause_before(5), 3'200);
  EXPECT_EQ(pause_before(6), 5'000);
  EXPECT_EQ(pause_before(1'000), 5'000);
}

TEST(Plan, TheUnitLeavesTasksAlone) {
  auto const unit = systemd_unit("/usr/bin/lepton-node", "/var/lib/lepton/config/node.yaml");
  EXPECT_NE(unit.find("ExecStart=/usr/bin/lepton-node --config /var/lib/lepton/config/node.yaml\n"),
            unit.npos);
  EXPECT_NE(unit.find("KillMode=process\n"), unit.npos);
}

}  // namespace
}  // namespace lepton::cli
