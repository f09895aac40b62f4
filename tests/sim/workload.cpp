// What people do in the simulated world: submit, cancel, send again, put and read secrets, rotate
// keys, drain nodes, unseal the vault, look at jobs and at the log.

#include <algorithm>

#include "schemas/explain.hpp"
#include "schemas/monitor_alert.hpp"
#include "schemas/node.hpp"
#include "schemas/node_marks.hpp"
#include "schemas/quota.hpp"
#include "schemas/scaler.hpp"
#include "schemas/vault_access.hpp"
#include "services/deployer/core/lifecycle.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

// 32 octets of base64url: the root key of every simulated vault.
Secret<> root_key() {
  return Secret<>(std::string("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"));
}

constexpr TimeMs unseal_every_ms = 3'000;
constexpr char const* log_paths[] = {"secret/ml/hf", "secret/ml/other", "secret/ann/key"};

}  // namespace

void Suite::plan_work() {
  open_vault();
  some_time(plan_.jobs, [this] { submit(*clients_[chance_.below(clients_.size())]); });
  if (plan_.does("drains")) some_time(3, [this] { drain_something(); });
  if (plan_.does("queries")) some_time(plan_.jobs, [this] { ask_something(); });
  if (plan_.does("secrets")) {
    some_time(4, [this] { put_secret(); });
    some_time(2, [this] { ask(*admin_, "vault", VaultRotate{}, {.deadline_ms = 60'000}); });
  }
  if (plan_.does("quotas")) {
    for (auto const* client : clients_) put_quota(client->name());
    some_time(3, [this] { change_quota(); });
  }
  if (plan_.does("marks")) some_time(4, [this] { mark_something(); });
  if (plan_.does("log")) some_time(6, [this] { read_log(); });
  if (plan_.does("scaling")) {
    for (auto const* service : {"web0", "web1"}) put_scaling(service);
    some_time(8, [this] { scale_something(); });
  }
  if (plan_.does("alerts")) {
    put_rule();
    some_time(4, [this] { watch_something(); });
  }
  if (plan_.does("services")) plan_serving();
  if (plan_.does("resizes")) {
    some_time(10, [this] { resize_something(); });
    some_time(4, [this] { any_runner()->hide_next_resize(); });
  }
  if (plan_.does("folders")) some_time(3, [this] { folders_.rot(chance_); });
  if (plan_.does("outputs")) {
    some_time(6, [this] { fetch_something(); });
    some_time(6, [this] { read_job_log(); });
  }
  if (plan_.does("losses")) some_time(6, [this] { kill_runner(); });
  if (plan_.does("commands")) some_time(8, [this] { run_command(); });
  if (plan_.does("slices")) some_time(12, [this] { slice_something(); });
}

// Until it is done: without it nothing about secrets would be checked.
void Suite::init_vault() {
  ask<VaultInit>(*admin_, "vault", VaultInit{root_key(), "root"}, {.deadline_ms = 300'000},
                 [this](Result<TokenIssued> const& got) {
                   if (!got) return world_.at(1'000, [this] { init_vault(); });
                   ask(*admin_, "vault",
                       SecretPut{log_paths[0], Secret<>(std::string("hf_canary")), {}},
                       {.deadline_ms = 300'000});
                 });
}

// A vault that has crashed is sealed again; somebody keeps unsealing it.
void Suite::open_vault() {
  init_vault();
  for (TimeMs at = 1'000; at < plan_.trouble_ms + plan_.peace_ms; at += unseal_every_ms)
    world_.at(at, [this] {
      ask(*admin_, "vault", VaultUnseal{root_key()},
          {.deadline_ms = unseal_every_ms, .retry_refused = false});
    });
}

JobSpec Suite::random_spec() {
  JobSpec spec;
  spec.name = "job";
  spec.command = {"work"};
  spec.resources.cpu_milli = 500 * static_cast<std::int64_t>(1 + chance_.below(8));
  spec.resources.memory_mib = 1'024;
  auto const kind = chance_.below(4);
  if (kind == 1) spec.resources.gpus = static_cast<std::uint32_t>(1 + chance_.below(3));
  if (kind == 2) {
    spec.resources.gpus = 1;
    spec.resources.gpu_milli = static_cast<std::uint32_t>(200 + 100 * chance_.below(6));
  }
  if (chance_.happens(0.2)) spec.nodes = static_cast<std::uint32_t>(2 + chance_.below(2));
  if (plan_.does("workers") && chance_.happens(0.2)) spec.nodes_max = spec.nodes + 2;
  spec.retry.max = static_cast<std::uint32_t>(chance_.below(3));
  spec.retry.on_error = chance_.happens(0.5);
  spec.lease_ms = chance_.happens(0.5) ? plan_.knobs.lease_min_ms : plan_.knobs.lease_max_ms;
  spec.stop_grace_ms = plan_.knobs.grace_ms;
  if (chance_.happens(0.2)) spec.secrets["HF_TOKEN"] = "vault://ml/hf";
  if (chance_.happens(0.1)) spec.max_duration_ms = 10'000;
  if (chance_.happens(0.1)) spec.no_fit = NoFit::refuse;
  if (chance_.happens(0.3)) spec.priority = chance_.happens(0.5) ? 90 : 10;
  if (chance_.happens(0.2)) spec.checkpoint_interval_ms = 2'000;
  if (chance_.happens(0.1)) spec.preemptible = false;
  if (chance_.happens(0.1)) spec.resources.where.preferences = {{"rack", {"r1"}, false}};
  if (chance_.happens(0.1)) spec.resources.where.tolerations = {{"batch", {}, false}};
  if (spec.nodes > 1 && chance_.happens(0.3)) {
    spec.resources.where.topology = TopologyMode::spread;
    spec.resources.where.topology_label = "rack";
  }
  if (!submitted_.empty() && spec.no_fit == NoFit::wait && chance_.happens(0.1)) {
    spec.after = {{submitted_.back().value, AfterEnd::any}};
    auto const& other = submitted_[chance_.below(submitted_.size())];
    if (other != submitted_.back()) spec.after.push_back({other.value, AfterEnd::any});
  }
  if (spec.no_fit == NoFit::wait && chance_.happens(0.05)) {
    spec.array = 3;
    spec.array_parallel = static_cast<std::uint32_t>(chance_.below(3));
  }
  return spec;
}

void Suite::script_tasks(JobId const& job, JobSpec const& spec) {
  for (std::uint32_t i = 0; i < spec.nodes; ++i) {
    node::FakeTask task;
    task.duration_ms =
        static_cast<std::int64_t>(200 + chance_.below(chance_.happens(0.2) ? 60'000 : 15'000));
    task.exit_code = chance_.happens(0.15) ? 1 : 0;
    if (task.exit_code != 0) bound_to_fail_.insert(job);
    task.ends_on_term = chance_.happens(0.8);
    if (plan_.does("resizes") && chance_.happens(0.3))
      task.memory_used_mib = std::min<std::int64_t>(900, spec.resources.memory_mib);
    auto const id = deployer::task_id(job, i).value;
    task.log = log_of(id);
    for (auto const& [name, runner] : runners_) runner->script(id, task);
  }
}

void Suite::submit(Client& client) {
  JobId const job{"job-" + std::to_string(submitted_.size())};
  JobSubmit const message{job, random_spec()};
  submitted_.push_back(job);
  specs_[job] = message.spec;
  for (auto const& one : jobs_of(message)) {
    specs_[one] = message.spec;
    script_tasks(one, message.spec);
  }
  if (plan_.does("folders") && chance_.happens(0.5)) return send_folder(client, message);
  send_job(client, message);
}

// First what it brings along; where that is refused, the job goes without.
void Suite::send_folder(Client& client, JobSubmit const& message) {
  auto const folder = SentFolder::random(chance_);
  auto const without = [this, &client, message] { send_job(client, message); };
  auto const kept = [this, &client, message, folder, without](Result<WorkdirKept> const& got) {
    if (!got) return without();
    if (got->workdir != folder.name()) world_.fail("a folder is kept under another name");
    for (auto const& job : jobs_of(message)) folders_.note(job, folder);
    auto with = message;
    with.spec.workdir = got->workdir;
    send_job(client, with);
  };
  ask<WorkdirStore>(
      client, "deployer", {message.spec.name, folder.chunks}, {.deadline_ms = 60'000},
      [this, &client, message, folder, without, kept](Result<WorkdirStored> const& got) {
        if (!got) return without();
        ask<WorkdirCommit>(client, "deployer", {message.spec.name, folder.manifest},
                           {.deadline_ms = 60'000}, kept);
      });
}

void Suite::send_job(Client& client, JobSubmit const& message) {
  auto const& job = message.job;
  auto const id = "submit-" + job.value;
  ask(client, "deployer", message, {.deadline_ms = 200'000, .id = id},
      [this, &client, message, id](Result<JobAccepted> const& got) {
        if (got && chance_.happens(0.3)) submit_again(client, message, id);
      });
  look_closely(job);
  if (!chance_.happens(0.2)) return;
  world_.at(static_cast<TimeMs>(chance_.below(15'000)), [this, &client, job] {
    ask(client, "deployer", JobCancel{job, "changed my mind"}, {.deadline_ms = 60'000});
    look_closely(job);
  });
}

std::shared_ptr<node::FakeRunner> Suite::any_runner() {
  auto const at = static_cast<int>(chance_.below(runners_.size()));
  return std::next(runners_.begin(), at)->second;
}

// Of work that runs, whose processes may outlive it for a while, or of what is to be started next.
void Suite::kill_runner() {
  auto const runner = any_runner();
  auto const running = runner->running();
  if (running.empty() || chance_.happens(0.3)) return runner->cut_next_launch();
  auto const attempt = running[chance_.below(running.size())].attempt;
  runner->kill_runner(attempt, chance_.happens(0.3));
  world_.at(static_cast<TimeMs>(chance_.below(10'000)),
            [runner, attempt] { runner->clear_leftovers(attempt); });
}

// Somebody looks while the change is still on its way to the disk.
void Suite::look_closely(JobId const& job) {
  if (!plan_.does("queries")) return;
  for (int i = 0; i < 3; ++i)
    world_.at(static_cast<TimeMs>(chance_.below(30)),
              [this, job] { ask(*admin_, "deployer", JobShow{job}, {.deadline_ms = 2'000}); });
}

// As a person whose terminal was lost after the answer: the same request, or the same job under
// another request.
void Suite::submit_again(Client& client, JobSubmit const& message, std::string const& id) {
  auto const same = chance_.happens(0.7);
  world_.at(static_cast<TimeMs>(chance_.below(10'000)), [this, &client, message, id, same] {
    ask(client, "deployer", message,
        {.deadline_ms = 100'000, .earlier = 1, .id = same ? id : id + "-again"});
  });
}

// Whatever runs or waits; also so much that there is no room, and less than is in use.
void Suite::resize_something() {
  if (submitted_.empty()) return;
  auto const running = running_job();
  auto const job =
      running && chance_.happens(0.8) ? *running : submitted_[chance_.below(submitted_.size())];
  TaskSize size;
  if (chance_.happens(0.8)) size.cpu_milli = 500 * static_cast<std::int64_t>(1 + chance_.below(16));
  if (chance_.happens(0.5)) size.memory_mib = 512 * static_cast<std::int64_t>(1 + chance_.below(6));
  ask(*admin_, "deployer", JobResize{job, size}, {.deadline_ms = 60'000});
}

void Suite::drain_something() {
  NodeId const node{"node" + std::to_string(chance_.below(plan_.nodes))};
  // Taken back into use only when the drain has ended one way or the other: requests may overtake
  // each other.
  ask<NodeDrain>(*admin_, "deployer", NodeDrain{node, true}, {.deadline_ms = 60'000},
                 [this, node](Result<NodeChanged> const&) { take_back(node); });
}

// Asked for until it is done: a refusal must not keep the node out of use for ever.
void Suite::take_back(NodeId const& node) {
  world_.at(10'000, [this, node] {
    ask<NodeDrain>(*admin_, "deployer", NodeDrain{node, false}, {.deadline_ms = 600'000},
                   [this, node](Result<NodeChanged> const& done) {
                     if (!done) take_back(node);
                   });
  });
}

// What was stored comes back, under whichever key and in whichever life.
void Suite::put_secret() {
  std::string const path = log_paths[1 + chance_.below(2)];
  auto const value = "hf_canary_" + std::to_string(chance_.next());
  ask<SecretPut>(*admin_, "vault", SecretPut{path, Secret<>(std::string(value)), {}},
                 {.deadline_ms = 60'000}, [this, path, value](Result<SecretInfo> const& put) {
                   if (!put) return;
                   auto const version = put->version;
                   ask<SecretGet>(
                       *admin_, "vault", SecretGet{path, version}, {.deadline_ms = 200'000},
                       [this, value, path](Result<SecretValue> const& got) {
                         if (got && got->value.reveal() != value)
                           world_.fail("the secret " + path + " comes back as another value");
                       });
                 });
}

void Suite::change_quota() {
  auto const owner = clients_[chance_.below(clients_.size())]->name();
  if (!chance_.happens(0.3)) return put_quota(owner);
  ask(*admin_, "deployer", QuotaRemove{PoolId{"default"}, owner}, {.deadline_ms = 60'000});
}

// Without limits, so that every job can start in the end.
void Suite::put_quota(std::string const& owner) {
  auto const gpu_milli = static_cast<std::int64_t>(1'000 * chance_.below(4));
  ask(*admin_, "deployer", QuotaPut{PoolId{"default"}, owner, gpu_milli, 2 * gpu_milli, 0, 1},
      {.deadline_ms = 60'000});
}

// Labels come and go; taints are soft, so that every job can start in the end.
void Suite::mark_something() {
  NodeMark m;
  m.node = NodeId{"node" + std::to_string(chance_.below(plan_.nodes))};
  if (chance_.happens(0.5))
    m.labels["rack"] = chance_.happens(0.5) ? "r1" : "r2";
  else
    m.labels_removed = {"rack"};
  if (chance_.happens(0.5))
    m.taints = {{"batch", "", true}};
  else
    m.taints_removed = {"batch"};
  ask(*admin_, "deployer", m, {.deadline_ms = 60'000});
}

void Suite::ask_something() {
  auto& client = *clients_[chance_.below(clients_.size())];
  auto const kind = chance_.below(5);
  if (kind == 0) return ask(client, "deployer", NodeList{});
  if (kind == 1 || submitted_.empty()) return ask(client, "deployer", JobList{});
  if (kind == 2)
    return ask(client, "deployer", JobExplain{submitted_[chance_.below(submitted_.size())]});
  ask(client, "deployer", JobShow{submitted_[chance_.below(submitted_.size())]});
}

void Suite::put_scaling(std::string const& service) {
  ServiceScalePut put{service, {}, 2};
  put.settings.limits.max = 4;
  ask(*admin_, "scaler", put, {.deadline_ms = 60'000});
}

// Two services, whose scaling comes and goes.
void Suite::scale_something() {
  auto const service = "web" + std::to_string(chance_.below(2));
  auto const kind = chance_.below(8);
  if (kind == 0) return ask(*admin_, "scaler", ServiceScaleRemove{service});
  if (kind == 1) return ask(*admin_, "scaler", ServiceExplain{service, 5});
  if (kind == 2) return ask(*admin_, "scaler", ScaledServiceList{});
  if (kind == 3) return put_scaling(service);
  auto const replicas = 1 + static_cast<std::uint32_t>(chance_.below(4));
  ask(*admin_, "scaler", ServiceScale{service, replicas}, {.deadline_ms = 60'000});
}

// Every node breaks it.
void Suite::put_rule() {
  AlertRule busy;
  busy.name = "busy";
  busy.series = Series::cpu_use;
  busy.threshold = 0.4;
  busy.pending_ms = busy.resolve_ms = 10'000;
  ask(*admin_, "monitor", AlertRulePut{busy}, {.deadline_ms = 60'000});
}

// The rule comes and goes, and people look.
void Suite::watch_something() {
  auto const kind = chance_.below(5);
  if (kind == 0) return ask(*admin_, "monitor", AlertRuleRemove{"busy"});
  if (kind == 1) return ask(*admin_, "monitor", NodeHealthList{});
  if (kind == 2) return ask(*admin_, "monitor", NodeShow{NodeId{"node0"}});
  if (kind == 3) return ask(*admin_, "monitor", SeriesRead{NodeId{"node0"}});
  put_rule();
}

void Suite::read_log() {
  auto const kind = chance_.below(4);
  if (kind == 0) return ask(*admin_, "auditor", AuditCheckpoint{});
  if (kind == 1) return ask(*admin_, "auditor", AuditProve{chance_.below(40)});
  if (kind == 2) return ask(*admin_, "auditor", AuditConsistency{chance_.below(20), 0});
  AuditTail tail;
  tail.action = chance_.happens(0.5) ? std::string(JobSubmit::topic) : "";
  ask(*admin_, "auditor", tail);
}

}  // namespace lepton::sim
