#include "tests/sim/suite.hpp"

#include "services/monitor/monitor.hpp"
#include "services/node/reporter.hpp"
#include "services/scaler/scaler.hpp"
#include "services/vault/vault.hpp"

namespace lepton::sim {
namespace {

constexpr TimeMs report_every_ms = 5'000;  // fewer events than at each second

// It expects reports as often as they come: who is suspect between two of them is given no work.
monitor::Settings monitor_settings() {
  monitor::Settings s;
  s.liveness.usual_ms = report_every_ms;
  return s;
}

// A machine of which there is little to tell.
struct SteadyMeter final : node::Meter {
  node::Measured measure() override { return {{{Series::cpu_use, "", 0.5}}, ""}; }
};

// A service looks at its lease before it acts, and one that stood still past it is ended by the one
// that takes over (common/service): so only the newest life reaches the balancer. The simulation
// lets old ones go on for longer, to try the fence of the store.
class BalancerOfLife final : public deployer::Balancer {
 public:
  BalancerOfLife(Machine const& machine, std::uint64_t life, std::shared_ptr<Balancer> balancer)
      : machine_(machine), life_(life), balancer_(std::move(balancer)) {}

  Result<std::vector<deployer::EntranceLoad>> reconcile(
      std::vector<deployer::Entrance> const& wanted) override {
    if (machine_.life() == life_) return balancer_->reconcile(wanted);
    return Error{Code::unavailable, "another instance drives the balancer"};
  }

 private:
  Machine const& machine_;
  std::uint64_t const life_;
  std::shared_ptr<Balancer> balancer_;
};

}  // namespace

// Small machines where work changes its size: full ones show what is given away too early.
NodeCapacity Suite::capacity_of_node() const {
  auto const cpu_milli = plan_.does("resizes") ? 8'000 : 16'000;
  NodeCapacity c{cpu_milli, 65'536, 100'000, {}, 20'000, 100};
  for (int i = 0; i < 4; ++i) c.gpus.push_back({"GPU-" + std::to_string(i), "H100", 81'920});
  return c;
}

Suite::Suite(Plan plan)
    : plan_(std::move(plan)), chance_(plan_.seed ^ 0x5eed), world_(plan_.seed, plan_.faults) {
  world_.set_repeat(plan_.command());
  add_services();
  for (std::uint32_t i = 0; i < plan_.nodes; ++i) add_node("node" + std::to_string(i));
  for (auto const* name : {"ann", "bob"}) clients_.push_back(&world_.add_client(name, {"admin"}));
  admin_ = &world_.add_client("root", {"admin"});
  world_.after_each_event([this](World&) { check_now(); });
  world_.at_each_answer([this](Machine const& from, std::string const& to, Header const& header,
                               std::string const& body) { check_answer(from, to, header, body); });
}

void Suite::add_services() {
  auto const add = [this](std::string const& name, auto make, std::vector<std::string> streams) {
    world_.add_process(name, [this, name, make, streams](Machine& m) {
      auto system = std::make_unique<actor::System>(
          actor::SystemSettings{.service = name,
                                .asks = plan_.knobs.asks,
                                .head_every_ms = plan_.knobs.head_every_ms},
          m.ports());
      auto host = plan_.knobs.host;
      host.streams = streams;
      system->add(
          name, [make, &m, life = m.life()] { return make(m, life); }, host);
      system->start();
      return Built(std::move(system));
    });
  };
  auto const& knobs = plan_.knobs;
  add("auditor",
      [&knobs](auto const&...) { return std::make_unique<auditor::Auditor>(knobs.auditor); },
      {"audit"});
  add("vault", [](auto const&...) { return std::make_unique<vault::Vault>(vault::Settings{}); },
      {"audit", "access"});
  add("deployer",
      [this](Machine const& machine, std::uint64_t life) {
        auto settings = plan_.knobs.deployer;
        settings.entrance_first = entrance_first;
        settings.entrance_count = entrance_count;
        auto const balancer = std::make_shared<BalancerOfLife>(machine, life, balancer_);
        return std::make_unique<deployer::Deployer>(settings, balancer);
      },
      {"audit"});
  add("scaler", [](auto const&...) { return std::make_unique<scaler::Scaler>(scaler::Settings{}); },
      {"audit", scaler::stream_name});
  add("monitor",
      [](auto const&...) { return std::make_unique<monitor::Monitor>(monitor_settings()); },
      {"audit", monitor::nodes_stream, monitor::alerts_stream});
}

void Suite::add_node(std::string const& name) {
  ProcessOptions options;
  options.door = actor::Door::client;
  options.has_lease = false;
  world_.add_process(
      name,
      [this, name](Machine& m) {
        auto& runner = runners_[name];
        if (!runner) {
          runner = std::make_shared<node::FakeRunner>(m);
          runner->script_others(replica_task);
        }
        auto const folders = plan_.does("folders") ? folders_.store_of(name) : nullptr;
        auto const outputs = plan_.does("outputs") ? outputs_.reader_of(name) : nullptr;
        auto settings = plan_.knobs.node;
        settings.node = NodeId{name};
        settings.capacity = capacity_of_node();
        settings.labels["address"] = address_of_node(name);
        settings.boot_id = "boot-of-" + name;
        settings.incarnation = "life-" + std::to_string(m.life());
        settings.ordered = std::make_shared<NodeState>();  // copies of settings share theirs
        auto system = std::make_unique<actor::System>(
            actor::SystemSettings{.service = name, .asks = plan_.knobs.asks}, m.ports());
        auto host = plan_.knobs.host;
        host.durable = false;
        host.streams.clear();
        system->add(
            "node",
            [settings, runner, folders, outputs, this] {
              auto prober = std::make_shared<node::FakeProber>([runner](auto const& task) {
                auto const status = runner->poll(task.attempt);
                return status && status->state == node::RunState::running;
              });
              return std::make_unique<node::Node>(settings, runner, std::move(prober), folders,
                                                  outputs, commands_.on(runner));
            },
            host);
        node::ReporterSettings const telemetry{settings.node, settings.boot_id, report_every_ms};
        auto const ordered = settings.ordered;
        system->add(
            "telemetry",
            [telemetry, ordered] {
              return std::make_unique<node::Reporter>(telemetry, std::make_shared<SteadyMeter>(),
                                                      ordered);
            },
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

std::uint64_t Suite::acknowledged() const {
  std::uint64_t acked = 0;
  for (auto const& sent : world_.history()) acked += sent.outcome == Outcome::acked ? 1 : 0;
  return acked;
}

void Suite::run() {
  plan_work();
  world_.run_for(plan_.trouble_ms);
  world_.heal();
  healed_at_ = world_.now();
  if (plan_.does("services")) end_serving();
  if (plan_.does("slices")) release_slices();
  // A crash in the last step, too, is to be survived.
  auto const is_over = [this] { return all_at_end() && world_.all_up(); };
  auto const ended = world_.run_until(is_over, plan_.peace_ms);
  if (!ended)
    world_.fail("after the faults were over, not everything came to its end: " + unfinished());
  check_at_end();
}

}  // namespace lepton::sim
