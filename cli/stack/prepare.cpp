// `lepton stack prepare`: the folder of a stack, from nothing or as it is.

#include <fmt/format.h>

#include "cli/stack/environment.hpp"
#include "cli/stack/stack_commands.hpp"
#include "cli/up/haproxy_files.hpp"
#include "cli/up/keys.hpp"
#include "cli/up/lock.hpp"
#include "cli/up/node.hpp"
#include "cli/up/settings.hpp"
#include "common/codec/yaml.hpp"
#include "common/crypto/entropy.hpp"
#include "services/auditor/log_key.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr char const* inside_first = "10.171.1.10";
constexpr char const* door_first = "10.171.2.10";

Result<StackSettings> settings_of(Layout const& layout, UpOptions o) {
  auto const known = read_settings(layout);
  if (!known) return known.error();
  if (*known && !(*known)->is_apart())
    return Error{Code::conflict, fmt::format("{} belongs to a `lepton up`; name another folder",
                                             layout.state.string())};
  if (o.inside.empty() && !*known) o.inside = inside_first;
  if (o.door.empty() && !*known) o.door = door_first;
  if (o.node_name.empty() && !*known) o.node_name = this_node_name();
  auto settings = wanted_settings(layout, o);
  if (settings && settings->entrances == 0)
    return Error{Code::invalid, "--entrances takes 1 to 200 here: HAProxy is part of the stack"};
  return settings;
}

// What holds a secret of one part, in the folder that only this part sees.
Status write_parts(StackPlan const& plan) {
  for (auto const& name : service_names()) {
    auto config = service_config(plan, name);
    if (name == "monitor" && !config.alert_url_file.empty()) {
      auto text = read_private_file(config.alert_url_file);
      if (!text) return text.error();
      config.alert_url_file = plan.layout.part(name) / "alert.url";
      auto written = write_private_file(config.alert_url_file, *text);
      wipe(text->data(), text->size());
      if (!written) return written;
    }
    if (auto written = write_private_file(plan.layout.config(name), codec::to_yaml(config));
        !written)
      return written;
  }
  return write_node_config(plan.layout.config("node"), node_setup(plan));
}

Status write_rest(StackPlan const& plan, Account const& account) {
  auto const& layout = plan.layout;
  auto status = write_settings(layout, plan.settings);
  auto const put = [&](fs::path const& path, std::string const& text) {
    if (status) status = write_private_file(path, text);
  };
  put(layout.public_keys(), codec::to_yaml(PublicKeys{plan.public_keys}));
  put(layout.part("prometheus") / "prometheus.yml", prometheus_settings(plan));
  put(layout.state / "passwd", passwd_text(account));
  put(layout.state / "group", group_text(account));
  put(layout.state / "compose.env", compose_environment(plan, account, LEPTON_VERSION));
  return status ? write_context(layout.context, client_context(plan)) : status;
}

// The auditor's container may not write into its own folder.
Status make_log_key(Layout const& layout) {
  auto const path = layout.part("auditor") / "auditor_log.key";
  std::error_code error;
  if (fs::exists(path, error)) return ok();
  crypto::SystemEntropy entropy;
  auto const made = auditor::read_or_create_log_key(path, entropy);
  return made ? ok() : Status(made.error());
}

Status write_all(StackPlan& plan, Account const& account) {
  auto status = prepare_keys(plan);
  if (status) status = make_log_key(plan.layout);
  if (status) status = write_parts(plan);
  if (status) status = write_haproxy_files(plan, "0.0.0.0", "");
  if (status) status = write_rest(plan, account);
  return status;
}

}  // namespace

Result<int> prepare_stack(Shell& shell, UpOptions const& options) {
  auto const layout = find_stack(options.state);
  if (!layout) return layout.error();
  auto const settings = settings_of(*layout, options);
  if (!settings) return settings.error();
  auto const account = account_of(*layout);
  if (!account) return account.error();
  if (auto made = make_stack_folders(*layout); !made) return made.error();
  auto const lock = StateLock::take(*layout);
  if (!lock) return lock.error();
  StackPlan plan{*layout, *settings, {}};
  plan.haproxy = "haproxy";
  if (auto written = write_all(plan, *account); !written) return written.error();
  if (auto given = hand_over(*layout, *account); !given) return given.error();
  shell.say(
      fmt::format("{} is prepared; it is run by user {}", layout->state.string(), account->uid));
  shell.say(fmt::format("next: export LEPTON_CONTEXT={}", layout->context));
  return 0;
}

}  // namespace lepton::cli
