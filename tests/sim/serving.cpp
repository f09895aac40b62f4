// Services in the simulated world: applied, changed, reverted, resized and removed while everything
// fails; replicas are killed, the balancer forgets. In the end every service has what it should
// have, and nothing of a removed one is left.

#include "schemas/scaler.hpp"
#include "schemas/service.hpp"
#include "services/deployer/service_rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

constexpr char const* names[] = {"web0", "shop"};  // the scaler may decide about the first
constexpr TimeMs ask_ms = 60'000;

// Where the newest template has failed, what is ready goes on, and what was proven fills up the
// rest.
bool ends_well(deployer::ServiceState const& s, std::vector<deployer::Replica> const& replicas) {
  auto const target = s.target(0);
  if (s.row.removing) return false;
  if (!target.stalled) return deployer::is_rolled_out(target, replicas);
  auto const is_ready = [](deployer::Replica const& r) { return r.state == ReplicaState::ready; };
  return std::all_of(replicas.begin(), replicas.end(), is_ready) &&
         (target.proven == 0 || replicas.size() == target.replicas);
}

}  // namespace

// A replica runs until it is stopped; that of a broken template ends at once.
node::FakeTask Suite::replica_task(node::RunSpec const& spec) {
  node::FakeTask task;
  JobId const job = job_of_task(spec.task);
  auto const is_worker = base_of(job) != job;  // it works until its job ends
  if (is_worker || spec.command == std::vector<std::string>{"serve"}) task.duration_ms.reset();
  if (spec.command == std::vector<std::string>{"broken"})
    task.duration_ms = 100, task.exit_code = 1;
  return task;
}

ServiceSpec Suite::random_service(std::string const& name) {
  ServiceSpec s;
  s.name = s.task.name = name;
  s.task.command = {chance_.happens(0.15) ? "broken" : "serve"};
  s.task.env["VERSION"] = std::to_string(chance_.below(4));
  s.task.resources.cpu_milli = 250;
  s.task.resources.memory_mib = 256;
  s.task.resources.ports = 1;
  s.task.lease_ms = plan_.knobs.lease_max_ms;
  s.task.stop_grace_ms = plan_.knobs.grace_ms;
  s.task.retry = {0, false, false, {}, 1000};
  s.task.priority = chance_.happens(0.3) ? 0 : 60;
  // Without a probe what runs is ready, so a broken template would count as proven.
  if (s.task.command.front() == "broken" || chance_.happens(0.7))
    s.task.probes.readiness = Probe{ProbeKind::tcp};
  s.min = 1;
  s.max = static_cast<std::uint32_t>(1 + chance_.below(4));
  s.max_surge = static_cast<std::uint32_t>(chance_.below(3));
  s.max_unavailable = s.max_surge == 0 ? 1 : static_cast<std::uint32_t>(chance_.below(2));
  s.drain_ms = static_cast<std::int64_t>(chance_.below(5'000));
  s.progress_ms = 120'000;
  if (chance_.happens(0.5)) scale_by_load(s);
  return s;
}

// Some may go to zero, and come back with the first request that waits.
void Suite::scale_by_load(ServiceSpec& s) {
  if (chance_.happens(0.6)) s.min = 0;
  constexpr char const* policies[] = {"threshold", "hpa", "kpa", "staffing", "adjustment"};
  s.scale = ScaleSettings{policies[chance_.below(5)], ScaleSignal::concurrency, 2, {}, 6'000};
  if (s.scale->policy == "adjustment")
    s.scale->adjustment = {chance_.happens(0.5) ? 0.8 : 1, chance_.happens(0.5) ? 0.5 : 1, 5'000,
                           ""};
  s.scale->limits.min = s.min;
  s.scale->limits.max = s.max;
  s.scale->limits.zero_after_ms = 5'000;
}

// Requests come to an entrance: some wait for a first replica, some are open at one.
void Suite::load_something() {
  auto const port = entrance_first + static_cast<std::uint32_t>(chance_.below(2));
  if (chance_.happens(0.4)) return balancer_->hold(port, 1 + chance_.below(5));
  auto const servers = balancer_->servers(port);
  if (servers.empty()) return;
  balancer_->serve(port, 1 + chance_.below(100));
  balancer_->set_in_flight(servers[chance_.below(servers.size())].name, chance_.below(12));
}

void Suite::plan_serving() {
  // Changes that the deployer asks of the scaler; nobody else does here.
  for (auto const topic : {ServiceScalePut::topic, ServiceScaleRemove::topic})
    mutating_.insert(std::string(topic));
  for (auto const* name : names)
    ask(*admin_, "deployer", ServiceApply{random_service(name)}, {.deadline_ms = ask_ms});
  some_time(10, [this] { change_service(); });
  some_time(3, [this] { kill_replica(); });
  some_time(2, [this] { balancer_->restart(); });
  some_time(15, [this] { load_something(); });
  // It serves on as it was last told.
  some_time(3, [this] {
    balancer_->go_away(true);
    world_.at(static_cast<TimeMs>(chance_.below(20'000)), [this] { balancer_->go_away(false); });
  });
}

void Suite::change_service() {
  std::string const name = names[chance_.below(std::size(names))];
  auto const kind = chance_.below(8);
  if (kind == 0) return ask(*admin_, "deployer", ServiceRemove{name}, {.deadline_ms = ask_ms});
  if (kind == 1) return ask(*admin_, "deployer", ServiceRevert{name}, {.deadline_ms = ask_ms});
  if (kind == 2) return ask(*admin_, "deployer", ServiceShow{name});
  if (kind == 3) return ask(*admin_, "deployer", ServiceList{});
  if (kind == 4) {
    // Within its limits: what is always refused would check nothing.
    auto const* d = deployer();
    auto const known =
        d == nullptr || !d->services().contains(name) ? nullptr : &d->services().at(name);
    auto const most = known == nullptr ? 4 : known->spec().max;
    return ask(*admin_, "deployer",
               ServiceResize{name, static_cast<std::uint32_t>(1 + chance_.below(most))},
               {.deadline_ms = ask_ms});
  }
  ask(*admin_, "deployer", ServiceApply{random_service(name)}, {.deadline_ms = ask_ms});
}

// As kill -9 of a replica and its runner.
void Suite::kill_replica() {
  for (auto& [name, runner] : runners_)
    for (auto const& status : runner->running())
      if (!specs_.contains(job_of_task(status.task))) return runner->kill_runner(status.attempt);
}

std::string address_of_node(std::string const& node) {
  return "10.0.0." + node.substr(node.size() - 1);
}

// No entrance leads to the work of somebody else.
void Suite::check_entrances() {
  std::map<std::string, std::string> served;  // address to the job that serves there
  for (std::uint32_t port = entrance_first; port < entrance_first + entrance_count; ++port)
    for (auto const& server : balancer_->servers(port))
      if (!server.draining) served[address_of(server)] = server.name;
  if (served.empty()) return;
  for (auto& [name, runner] : runners_)
    runner->each_running([&, &node = name](node::RunSpec const& spec, node::RunLimits const&) {
      auto const job = job_of_task(spec.task).value;
      for (auto const port : spec.ports) {
        auto const found = served.find(address_of_node(node) + ":" + std::to_string(port));
        if (found != served.end() && found->second != job)
          world_.fail("an entrance leads to " + spec.attempt + " on " + node +
                      ", where it takes it for " + found->second);
      }
    });
}

bool Suite::services_settled() {
  auto const* d = deployer();
  if (d == nullptr) return false;
  for (auto const* client : clients_)
    if (client->open() > 0) return false;
  for (auto const& [name, s] : d->services())
    if (!ends_well(s, d->replicas_of(s))) return false;
  return true;
}

// A commit may be on its way.
bool Suite::services_stored() {
  auto const* d = deployer();
  if (d == nullptr) return false;
  std::size_t replicas = 0;
  for (auto const& [name, s] : d->services()) replicas += s.replicas.size();
  auto const& disk = world_.disk("deployer");
  return disk.rows(deployer::ReplicaRow::table).size() == replicas &&
         disk.rows(deployer::ServiceRow::table).size() == d->services().size();
}

bool Suite::entrances_right() {
  auto const* d = deployer();
  if (d == nullptr) return false;
  for (auto const& [name, s] : d->services())
    if (s.row.port == 0 || balancer_->servers(s.row.port).size() != s.replicas.size()) return false;
  return true;
}

// Nobody waits at an entrance whose service could answer.
bool Suite::requests_answered() {
  auto const* d = deployer();
  if (d == nullptr) return false;
  for (auto const& [name, s] : d->services())
    if (s.row.stalled.empty() && balancer_->held(s.row.port) > 0) return false;
  return true;
}

// After the faults are over: every service comes to what is wanted, on disk too and at its
// entrance, and answers who waits there; then all are removed.
void Suite::end_serving() {
  balancer_->end_requests();
  auto const good = [this] {
    return requests_answered() && services_settled() && services_stored() && entrances_right();
  };
  if (!world_.run_until(good, plan_.peace_ms))
    world_.fail("after the faults were over, a service did not come to what is wanted of it: " +
                unfinished());
  remove_services();
}

// Until the end of the run: an earlier request that was told to come back may bring one back.
void Suite::remove_services() {
  if (auto const* d = deployer())
    for (auto const& [name, s] : d->services())
      if (!s.row.removing) ask(*admin_, "deployer", ServiceRemove{name});
  world_.at(10'000, [this] { remove_services(); });
}

std::string Suite::services_in_words() {
  std::string text;
  auto const* d = deployer();
  if (d == nullptr) return text;
  for (auto const& [name, s] : d->services()) {
    text += "service " + name + " wants " + std::to_string(s.row.wanted) + " of template " +
            std::to_string(s.row.template_number) + (s.row.removing ? ", removing" : "") +
            (s.row.stalled.empty() ? "" : ", stalled") + ", surge " +
            std::to_string(s.target(0).max_surge) + ", unavailable " +
            std::to_string(s.target(0).max_unavailable) + ", proven " +
            std::to_string(s.target(0).proven) + ", has";
    for (auto const& r : d->replicas_of(s))
      text += " " + std::string(schema::name_of(r.state)) + "/" +
              std::to_string(r.template_number) + (r.silent ? "(silent)" : "");
    text += " and " + std::to_string(balancer_->servers(s.row.port).size()) + " at the entrance, " +
            std::to_string(balancer_->held(s.row.port)) + " requests wait; ";
  }
  return text;
}

}  // namespace lepton::sim
