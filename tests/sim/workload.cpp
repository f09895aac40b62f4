// What people do in the simulated world: submit, cancel, put secrets, drain nodes, unseal the
// vault.

#include "schemas/node.hpp"
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

}  // namespace

void Suite::plan_work() {
  open_vault();
  for (std::uint32_t i = 0; i < options_.jobs; ++i) {
    auto const at = static_cast<TimeMs>(
        2'000 + chance_.below(static_cast<std::uint64_t>(options_.trouble_ms - 4'000)));
    world_.at(at, [this] {
      auto& client = *clients_[chance_.below(clients_.size())];
      submit(client, client.name());
    });
  }
  for (int i = 0; i < 3; ++i)
    world_.at(static_cast<TimeMs>(chance_.below(static_cast<std::uint64_t>(options_.trouble_ms))),
              [this] { drain_something(); });
}

// A vault that has crashed is sealed again; somebody keeps unsealing it.
void Suite::open_vault() {
  admin_->send("vault", VaultInit{root_key(), "root"}, {.deadline_ms = 300'000},
               [this](Result<TokenIssued>) {
                 admin_->send("vault",
                              SecretPut{"secret/ml/hf", Secret<>(std::string("hf_canary")), {}},
                              {.deadline_ms = 300'000});
               });
  for (TimeMs at = 1'000; at < options_.trouble_ms + options_.peace_ms; at += unseal_every_ms)
    world_.at(at, [this] {
      admin_->send("vault", VaultUnseal{root_key()},
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
  spec.retry.max = static_cast<std::uint32_t>(chance_.below(3));
  spec.retry.on_error = chance_.happens(0.5);
  spec.lease_ms = chance_.happens(0.5) ? 5'000 : 20'000;
  spec.stop_grace_ms = 1'000;
  if (chance_.happens(0.2)) spec.secrets["HF_TOKEN"] = "vault://ml/hf";
  if (chance_.happens(0.1)) spec.max_duration_ms = 10'000;
  if (chance_.happens(0.1)) spec.no_fit = NoFit::refuse;
  return spec;
}

void Suite::script_tasks(JobId const& job, JobSpec const& spec) {
  for (std::uint32_t i = 0; i < spec.nodes; ++i) {
    node::FakeTask task;
    task.duration_ms = static_cast<std::int64_t>(200 + chance_.below(20'000));
    task.exit_code = chance_.happens(0.15) ? 1 : 0;
    task.ends_on_term = chance_.happens(0.8);
    for (auto const& [name, runner] : runners_)
      runner->script(deployer::task_id(job, i).value, task);
  }
}

void Suite::submit(Client& client, std::string) {
  JobId const job{"job-" + std::to_string(submitted_.size())};
  auto const spec = random_spec();
  submitted_.push_back(job);
  if (!spec.secrets.empty()) with_secrets_.insert(job);
  script_tasks(job, spec);
  client.send("deployer", JobSubmit{job, spec}, {.deadline_ms = 200'000});
  if (!chance_.happens(0.2)) return;
  world_.at(static_cast<TimeMs>(chance_.below(15'000)), [&client, job] {
    client.send("deployer", JobCancel{job, "changed my mind"}, {.deadline_ms = 60'000});
  });
}

void Suite::drain_something() {
  NodeId const node{"node" + std::to_string(chance_.below(options_.nodes))};
  // Taken back into use only when the drain has ended one way or the other: requests may overtake
  // each other.
  auto const take_back = [this, node](Result<NodeChanged> const&) {
    world_.at(10'000, [this, node] {
      admin_->send("deployer", NodeDrain{node, false}, {.deadline_ms = 600'000});
    });
  };
  admin_->send("deployer", NodeDrain{node, true}, {.deadline_ms = 60'000}, take_back);
}

}  // namespace lepton::sim
