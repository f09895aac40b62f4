#include "tests/sim/suite.hpp"

#include "common/crypto/seeded_entropy.hpp"
#include "services/auditor/auditor.hpp"
#include "services/node/node.hpp"
#include "services/vault/vault.hpp"

namespace lepton::sim {
namespace {

actor::Factory auditor_factory() {
  crypto::SeededEntropy entropy(7);
  auditor::Settings settings{.key = crypto::SigningKey::create(entropy)};
  return [settings] { return std::make_unique<auditor::Auditor>(settings); };
}

NodeCapacity capacity_of_node() {
  NodeCapacity c{16'000, 65'536, 100'000, {}, 20'000, 100};
  for (int i = 0; i < 4; ++i) c.gpus.push_back({"GPU-" + std::to_string(i), "H100", 81'920});
  return c;
}

}  // namespace

Suite::Suite(std::uint64_t seed, Faults faults, SuiteOptions options)
    : options_(options), chance_(seed ^ 0x5eed), world_(seed, faults) {
  add_services();
  for (std::uint32_t i = 0; i < options_.nodes; ++i) add_node("node" + std::to_string(i));
  for (auto const* name : {"ann", "bob"}) clients_.push_back(&world_.add_client(name, {"admin"}));
  admin_ = &world_.add_client("root", {"admin"});
  world_.after_each_event([this](World&) { check_now(); });
}

void Suite::add_services() {
  auto const add = [this](std::string const& name, actor::Factory make,
                          std::vector<std::string> streams) {
    world_.add_process(name, [name, make, streams](Machine& m) {
      auto system =
          std::make_unique<actor::System>(actor::SystemSettings{.service = name}, m.ports());
      actor::HostSettings host;
      host.streams = streams;
      host.restarts_max = 1'000;  // injected faults are no bugs of the actor
      system->add(name, make, host);
      system->start();
      return Built(std::move(system));
    });
  };
  add("auditor", auditor_factory(), {"audit"});
  add("vault", [] { return std::make_unique<vault::Vault>(vault::Settings{}); },
      {"audit", "access"});
  add("deployer", [] { return std::make_unique<deployer::Deployer>(); }, {"audit"});
}

void Suite::add_node(std::string const& name) {
  ProcessOptions options;
  options.door = actor::Door::client;
  world_.add_process(
      name,
      [this, name](Machine& m) {
        auto& runner = runners_[name];
        if (!runner) runner = std::make_shared<node::FakeRunner>(m);
        node::Settings settings;
        settings.node = NodeId{name};
        settings.capacity = capacity_of_node();
        settings.boot_id = "boot-of-" + name;
        settings.incarnation = "life-" + std::to_string(m.life());
        auto system =
            std::make_unique<actor::System>(actor::SystemSettings{.service = name}, m.ports());
        actor::HostSettings host;
        host.durable = false;
        host.streams.clear();
        host.restarts_max = 1'000;
        system->add(
            "node", [settings, runner] { return std::make_unique<node::Node>(settings, runner); },
            host);
        system->start();
        return Built(std::move(system));
      },
      options);
}

deployer::Deployer const* Suite::deployer() {
  auto* system = world_.system("deployer");
  if (system == nullptr || !system->host("deployer").is_ready()) return nullptr;
  return dynamic_cast<deployer::Deployer const*>(system->host("deployer").actor());
}

node::FakeRunner* Suite::runner(std::string const& name) {
  auto const found = runners_.find(name);
  return found == runners_.end() ? nullptr : found->second.get();
}

void Suite::run() {
  plan_work();
  world_.run_for(options_.trouble_ms);
  world_.heal();
  auto const ended = world_.run_until([this] { return all_at_end(); }, options_.peace_ms);
  if (!ended)
    world_.fail("after the faults were over, not everything came to its end: " + unfinished());
  check_at_end();
}

}  // namespace lepton::sim
