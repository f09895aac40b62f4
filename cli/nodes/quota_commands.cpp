#include "cli/nodes/quota_commands.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/spec/amounts.hpp"
#include "schemas/quota.hpp"

namespace lepton::cli {
namespace {

struct SetOptions {
  std::string owner, pool = "default", gpus = "0", cpus = "0", most = "0";
  std::int64_t weight = 1;
};

// 8, 0.5 or 500m: cores and GPUs are written alike.
Result<std::int64_t> milli(std::string const& option, std::string const& text) {
  auto const parsed = parse_cpu_milli(text);
  if (!parsed)
    return Error{Code::invalid, option + ": '" + text + "' is not an amount, as 8 or 0.5"};
  return *parsed;
}

Result<QuotaPut> quota_of(SetOptions const& o) {
  if (o.weight < 1 || o.weight > 1000)
    return Error{Code::invalid, "--weight must be from 1 to 1000"};
  auto const gpus = milli("--gpus", o.gpus);
  if (!gpus) return gpus.error();
  auto const cpus = milli("--cpus", o.cpus);
  if (!cpus) return cpus.error();
  auto const most = milli("--max-gpus", o.most);
  if (!most) return most.error();
  if (*most > 0 && *most < *gpus)
    return Error{Code::invalid, "--max-gpus is less than --gpus; 0 sets no limit"};
  return QuotaPut{PoolId{o.pool}, o.owner, *gpus,
                  *cpus,          *most,   static_cast<std::uint32_t>(o.weight)};
}

Result<int> set(Shell& shell, SetOptions const& o) {
  auto const quota = quota_of(o);
  if (!quota) return quota.error();
  auto const stored = ask(shell, Service::deployer, *quota);
  if (!stored) return stored.error();
  emit(shell, *stored,
       Table::sheet().row({"OWNER", stored->owner}).row({"POOL", stored->pool.value}));
  shell.next("lepton quota list --pool " + o.pool);
  return 0;
}

Command set_command() {
  auto const o = std::make_shared<SetOptions>();
  Command c{"quota set", "Says what an owner is owed in a pool; what is not used is lent to others",
            "lepton quota set ann --gpus 8 --max-gpus 16"};
  c.required("OWNER", "Whose work it is", &o->owner)
      .option("--pool", "The pool", &o->pool)
      .option("--gpus", "GPUs that the owner is owed: 8 or 0.5", &o->gpus)
      .option("--cpus", "Cores that the owner is owed; 0: not counted beside GPUs", &o->cpus)
      .option("--max-gpus", "Most GPUs with what is borrowed; 0: no limit", &o->most)
      .option("--weight", "Weight of its share of what is lent, 1 to 1000", &o->weight);
  c.run = [o](Shell& shell) { return set(shell, *o); };
  return c;
}

Table quota_table(QuotaPage const& page) {
  Table table(
      {"POOL", "OWNER", "GPU OWED", "GPU USED", "GPU MOST", "CPU OWED", "CPU USED", "WEIGHT"});
  for (auto const& q : page.quotas)
    table.row({q.pool.value, q.owner, milli_words(q.gpu_milli), milli_words(q.gpu_milli_used),
               q.gpu_milli_max == 0 ? "-" : milli_words(q.gpu_milli_max), milli_words(q.cpu_milli),
               milli_words(q.cpu_milli_used), std::to_string(q.weight)});
  return table;
}

Command list_command() {
  auto const pool = std::make_shared<std::string>();
  Command c{"quota list", "Lists what owners are owed and use", "lepton quota list --pool default"};
  c.option("--pool", "Only of this pool", pool.get());
  c.run = [pool](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::deployer, QuotaList{PoolId{*pool}});
    if (!page) return page.error();
    emit(shell, *page, quota_table(*page));
    if (page->quotas.empty()) shell.next("lepton quota set OWNER --gpus N");
    return 0;
  };
  return c;
}

Command remove_command() {
  auto const o = std::make_shared<SetOptions>();
  Command c{"quota remove", "Takes an owner's quota away", "lepton quota remove ann"};
  c.required("OWNER", "Whose quota it is", &o->owner).option("--pool", "The pool", &o->pool);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const removed = ask(shell, Service::deployer, QuotaRemove{PoolId{o->pool}, o->owner});
    if (!removed) return removed.error();
    emit(shell, *removed,
         Table::sheet().row({"OWNER", removed->owner}).row({"POOL", removed->pool.value}));
    return 0;
  };
  return c;
}

}  // namespace

Commands quota_commands() {
  return {set_command(), list_command(), remove_command()};
}

}  // namespace lepton::cli
