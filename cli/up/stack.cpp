#include "cli/up/stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/up/node.hpp"
#include "cli/up/settings.hpp"
#include "common/base/text.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

constexpr TimeMs leftovers_limit_ms = 15'000;
constexpr TimeMs refresh_every_ms = 60'000;
constexpr TimeMs node_limit_ms = 10'000;
constexpr TimeMs vault_watch_every_ms = 2'000;
constexpr TimeMs disk_look_every_ms = 1'000;

std::string program_of(std::string const& name) {
  return "lepton-" + name;
}

Result<ProgramSpec> spec_of(Layout const& layout, std::string const& name) {
  auto const program = find_program(program_of(name));
  if (!program) return program.error();
  return ProgramSpec{name, *program, {"--config", layout.config(name)}, layout.log(name)};
}

}  // namespace

Status Stack::start() {
  auto status = end_previous();
  if (status) status = prepare_keys();
  if (status) status = start_database();
  if (status) status = start_balancer();
  if (status) status = start_services();
  if (status) status = open_up();
  if (status && plan_.settings.node) status = start_node();
  if (!status) stop();
  return status;
}

// A supervisor that was killed leaves dying children; two of one service must never meet.
Status Stack::end_previous() {
  auto names = service_names();
  if (plan_.settings.node) names.emplace_back("node");
  for (auto const& name : names)
    if (auto const program = find_program(program_of(name)); !program) return program.error();
  for (auto const& name : names) {
    auto const pids = running(program_of(name), plan_.layout.config(name));
    if (pids.empty()) continue;
    say_(fmt::format("{}: ending what an earlier `lepton up` left running", name));
    if (auto ended = end_leftovers(pids, leftovers_limit_ms); !ended) return ended;
  }
  auto const balancers = running("haproxy", plan_.layout.haproxy_config(), "-f");
  if (auto ended = end_leftovers(balancers, leftovers_limit_ms); !ended) return ended;
  return check_ports(plan_.settings);
}

Status Stack::prepare_keys() {
  auto names = service_names();
  names.insert(names.end(), {"admin", "node"});
  crypto::SystemEntropy entropy;
  for (auto const& name : names) {
    auto const keys = bus::read_or_create_keys(plan_.layout.keys(name), entropy);
    if (!keys) return keys.error();
    plan_.public_keys[name] = keys->public_key;
  }
  return ok();
}

Status Stack::start_database() {
  auto database = Database::open(plan_.layout, plan_.settings.database_url_file);
  if (!database) return database.error();
  database_ = std::move(*database);
  auto const applied = database_->prepare(plan_.layout);
  if (!applied) return applied.error();
  say_(fmt::format("PostgreSQL: ready ({}, {} migrations applied)",
                   database_->is_embedded() ? "embedded" : "external", applied->size()));
  return ok();
}

Status Stack::start_services() {
  for (auto const& name : service_names()) {
    auto const text = codec::to_yaml(service_config(plan_, name));
    if (auto written = write_private_file(plan_.layout.config(name), text); !written)
      return written;
    auto spec = spec_of(plan_.layout, name);
    if (!spec) return spec.error();
    auto& keeper = keepers_.emplace_back(std::move(*spec));
    if (auto started = keeper.start(clock_.now_ms()); !started) return started;
  }
  for (auto const& name : service_names())
    if (auto ready = wait_until_ready(name); !ready) return ready;
  return ok();
}

bool Stack::is_ready(std::string const& service, TimeMs limit_ms) {
  auto client = clients_.find(service);
  if (client == clients_.end()) {
    auto made = connect_to(plan_, service, false);
    if (!made) return false;
    client = clients_.emplace(service, std::move(*made)).first;
  }
  auto const health = client->second.call(HealthGet{service}, limit_ms);
  return health && health->ready;
}

Status Stack::wait_until_ready(std::string const& service) {
  auto const deadline = clock_.now_ms() + ready_limit_ms;
  while (!is_ready(service, 500)) {
    if (signals_.wait(0))
      return Error{Code::unavailable, "stopped before everything was ready; run `lepton up` again"};
    for (auto& keeper : keepers_) {
      auto const change = keeper.step(clock_.now_ms());
      if (!change) return change.error();
      if (*change == Keeper::Change::ended) return keeper.report("ended while starting");
    }
    if (clock_.now_ms() < deadline) continue;
    auto const keeper = std::find_if(keepers_.begin(), keepers_.end(),
                                     [&](Keeper const& k) { return k.spec().name == service; });
    return keeper->report(fmt::format("did not answer within {} s", ready_limit_ms / 1000));
  }
  say_(service + ": ready");
  return ok();
}

// The seal and the tokens.
Status Stack::open_up() {
  auto const opened = open_vault(plan_);
  if (!opened) return opened.error();
  if (*opened == Opened::fresh)
    say_(fmt::format("vault: created; its root key is {}, keep a copy elsewhere",
                     plan_.layout.root_key().string()));
  if (*opened == Opened::still_sealed) {
    say_(
        fmt::format("vault: stays sealed, because there is no root key in {}; run `lepton vault "
                    "unseal` and type it",
                    plan_.layout.root_key().string()));
    return ok();
  }
  if (auto const admin = renew_admin_token(plan_, clock_.wall_ms()); !admin) return admin.error();
  say_("vault: unsealed");
  auto const admitted = wait_until_admitted(plan_);
  return admitted ? put_node_policy(plan_) : admitted;
}

Status Stack::start_node() {
  auto const renewed = renew_node_token(plan_, clock_.wall_ms());
  if (!renewed && !claims_in(plan_.layout.node_token())) {
    say_("node: not started, because it has no token: " + renewed.error().what);
    return ok();
  }
  auto const setup = node_setup(plan_);
  if (auto written = write_node_config(plan_.layout.config("node"), setup); !written)
    return written;
  auto spec = spec_of(plan_.layout, "node");
  if (!spec) return spec.error();
  auto& keeper = keepers_.emplace_back(std::move(*spec));
  if (auto started = keeper.start(clock_.now_ms()); !started) return started;
  auto const joined = node_joins(plan_, node_limit_ms);
  if (joined && *joined)
    say_(fmt::format("node: this machine runs work as '{}'", setup.name));
  else
    say_(fmt::format("node: '{}' is not in use yet; see `lepton node list` and {}", setup.name,
                     keeper.spec().log.string()));
  return ok();
}

Status Stack::supervise() {
  while (!signals_.wait(500)) {
    if (auto kept = look_after_database(); !kept) return kept;
    for (auto& keeper : keepers_)
      if (auto kept = look_after(keeper); !kept) return kept;
    watch_vault(clock_.now_ms());
    reopen_vault();
    refresh(clock_.now_ms());
  }
  return ok();
}

// It may be killed again while it starts: that counts as one more end, not as the end of all.
Status Stack::look_after_database() {
  auto const status = database_->exited();
  if (!status) return ok();
  auto why = fmt::format("PostgreSQL: ended with status {}", *status);
  auto tail = database_->log_tail();
  while (!signals_.wait(0)) {
    say_(why + "; it is started again");
    if (!database_restarts_.allow(clock_.now_ms()))
      return Error{Code::internal,
                   fmt::format("PostgreSQL ended more than {} times within {} s; its "
                               "log is in {} and ends with: {}",
                               restarts_max, restarts_period_ms / 1000,
                               (plan_.layout.postgres_data() / "log").string(), tail)};
    auto const started = restart_database();
    if (started) {
      say_("PostgreSQL: ready again");
      vault_is_new_ = true;
      return ok();
    }
    if (signals_.wait(0)) return ok();
    auto const code = started.error().code;
    if (code != Code::internal && code != Code::timeout && code != Code::unavailable)
      return started;
    why = tail = started.error().what;
  }
  return ok();
}

// A full disk is no fault of the database: it is waited for, and nobody has to start us again.
Status Stack::restart_database() {
  auto started = database_->restart(plan_.layout);
  if (started || started.error().code != Code::exhausted) return started;
  say_("PostgreSQL: waits for free disk: " + started.error().what);
  while (!started && started.error().code == Code::exhausted && !signals_.wait(disk_look_every_ms))
    started = database_->restart(plan_.layout);
  return started;
}

Status Stack::look_after(Keeper& keeper) {
  auto const& name = keeper.spec().name;
  auto const change = keeper.step(clock_.now_ms());
  if (!change) return change.error();
  if (*change == Keeper::Change::ended)
    say_(fmt::format("{}: ended with status {}; it is started again", name, keeper.last_status()));
  if (*change == Keeper::Change::started) {
    say_(name + ": started again");
    know_key(name);
    vault_is_new_ = vault_is_new_ || name == "vault";
  }
  return ok();
}

// It may have begun anew because its key was rotated.
void Stack::know_key(std::string const& name) {
  auto const keys = bus::read_keys(plan_.layout.keys(name));
  if (!keys || keys->public_key == plan_.public_keys[name]) return;
  plan_.public_keys[name] = keys->public_key;
  clients_.erase(name);
}

// A vault whose rows were taken back by the database begins a new life inside the same process, and
// that life is sealed.
void Stack::watch_vault(TimeMs now) {
  auto const client = clients_.find("vault");
  if (client == clients_.end() || now - vault_seen_at_ < vault_watch_every_ms) return;
  vault_seen_at_ = now;
  auto const health = client->second.call(HealthGet{"vault"}, 300);
  if (!health || !health->counters.contains("lives")) return;
  auto const lives = health->counters.at("lives");
  if (vault_lives_ != 0 && lives != vault_lives_) vault_is_new_ = true;
  vault_lives_ = lives;
}

// Only after a new start: a vault that a person sealed stays sealed. The vault may have to wait for
// its database, whose keeper is this thread: so the asking is done beside it.
void Stack::reopen_vault() {
  if (auto const opened = opening_.result()) {
    if (!*opened) {
      vault_is_new_ = true;
      say_("vault: cannot be unsealed: " + opened->error().what);
    } else if (**opened == Opened::still_sealed) {
      say_("vault: sealed; run `lepton vault unseal`");
    } else if (**opened == Opened::unsealed) {
      say_("vault: unsealed again");
    }
  }
  if (!vault_is_new_ || opening_.runs() || !is_ready("vault", 300)) return;
  vault_is_new_ = false;
  opening_.send([plan = plan_] { return open_vault(plan); });
}

// Logs and tokens.
void Stack::refresh(TimeMs now) {
  if (auto const renewed = renewing_.result()) tokens_renewed(*renewed);
  if (now - refreshed_at_ < refresh_every_ms || renewing_.runs()) return;
  refreshed_at_ = now;
  for (auto const& keeper : keepers_) rotate_log(keeper.spec().log);
  rotate_log(plan_.layout.log("lepton"));
  auto const wall = clock_.wall_ms();
  bool const node = plan_.settings.node && is_stale(claims_in(plan_.layout.node_token()), wall);
  if (!node && !is_stale(claims_in(plan_.layout.admin_token()), wall)) return;
  renewing_.send([plan = plan_, wall, node]() -> Result<bool> {
    auto const admin = renew_admin_token(plan, wall);
    if (!admin || !node) return admin ? Result<bool>(false) : admin;
    return renew_node_token(plan, wall);
  });
}

void Stack::tokens_renewed(Result<bool> const& of_node) {
  if (!of_node) return say_("tokens: cannot be renewed: " + of_node.error().what);
  say_("tokens: renewed");
  if (*of_node) restart_node();
}

// It reads its token at its start; tasks do not notice.
void Stack::restart_node() {
  for (auto& keeper : keepers_)
    if (keeper.spec().name == "node") (void)keeper.stop(stop_limit_ms);
}

void Stack::stop() {
  clients_.clear();
  for (auto const* name : {"node", "monitor", "scaler", "deployer", "vault", "auditor", "haproxy"})
    for (auto& keeper : keepers_)
      if (keeper.spec().name == name && keeper.runs()) {
        auto const stopped = keeper.stop(stop_limit_ms);
        say_(stopped ? fmt::format("{}: stopped", name) : stopped.error().what);
      }
  keepers_.clear();
  if (!database_) return;
  auto const stopped = database_->stop();
  say_(stopped ? std::string("PostgreSQL: stopped") : stopped.error().what);
  database_.reset();
}

}  // namespace lepton::cli
