#include "cli/up/stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/up/keys.hpp"
#include "cli/up/node.hpp"
#include "cli/up/settings.hpp"
#include "common/base/text.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

constexpr TimeMs leftovers_limit_ms = 15'000;
constexpr TimeMs rotate_every_ms = 60'000;
constexpr TimeMs node_limit_ms = 10'000;
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
  if (status) status = prepare_keys(plan_);
  if (status) status = start_database();
  if (status) status = start_balancer();
  if (status) status = start_services();
  if (status) status = steward_.open_up();
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

Status Stack::wait_until_ready(std::string const& service) {
  auto const deadline = clock_.now_ms() + ready_limit_ms;
  while (!steward_.is_ready(service, 500)) {
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
    steward_.step(clock_.now_ms());
    rotate_logs(clock_.now_ms());
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
      steward_.vault_began_anew();
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
    if (name == "vault") steward_.vault_began_anew();
  }
  return ok();
}

// It may have begun anew because its key was rotated.
void Stack::know_key(std::string const& name) {
  auto const keys = bus::read_keys(plan_.layout.keys(name));
  if (!keys || keys->public_key == plan_.public_keys[name]) return;
  plan_.public_keys[name] = keys->public_key;
  steward_.forget(name);
}

void Stack::rotate_logs(TimeMs now) {
  if (now - rotated_at_ < rotate_every_ms) return;
  rotated_at_ = now;
  for (auto const& keeper : keepers_) rotate_log(keeper.spec().log);
  rotate_log(plan_.layout.log("lepton"));
}

void Stack::stop() {
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
