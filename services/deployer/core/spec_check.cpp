#include "services/deployer/core/spec_check.hpp"

#include <algorithm>

#include "common/base/image_name.hpp"
#include "common/base/text.hpp"
#include "schemas/gang.hpp"
#include "services/deployer/core/elastic.hpp"
#include "services/deployer/core/feasible.hpp"
#include "services/deployer/core/relations.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t entries_max = 256;
constexpr std::size_t text_max = 32 * 1024;

bool is_env_name(std::string_view s) {
  auto const fits = [](char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
  };
  return !s.empty() && s.size() <= 128 && !(s.front() >= '0' && s.front() <= '9') &&
         std::all_of(s.begin(), s.end(), fits);
}

bool has_nul(std::string_view s) {
  return s.find('\0') != s.npos;
}

// SHA-256 in hexadecimal.
bool is_folder_name(std::string_view s) {
  return s.size() == 64 && std::all_of(s.begin(), s.end(), [](char ch) {
           return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f');
         });
}

Error bad(std::string what) {
  return {Code::invalid, std::move(what)};
}

bool is_vault_url(std::string const& url) {
  return url.starts_with("vault://") && url.size() >= 9;
}

Status check_environment(JobSpec const& spec) {
  if (spec.env.size() + spec.secrets.size() > entries_max)
    return bad("env and secrets: more than 256 entries");
  for (auto const& [name, value] : spec.env) {
    if (!is_env_name(name))
      return bad("env: '" + name + "' is not a name of a variable (A-Z a-z 0-9 _)");
    if (value.size() > text_max || has_nul(value))
      return bad("env: the value of " + name + " is longer than 32 KiB or holds a NUL");
  }
  for (auto const& [name, url] : spec.secrets) {
    if (!is_env_name(name)) return bad("secrets: '" + name + "' is not a name of a variable");
    if (spec.env.contains(name)) return bad("secrets: " + name + " stands in env as well");
    if (!is_vault_url(url))
      return bad("secrets: " + name + " must be vault://PATH, for example vault://ml/hf");
  }
  return ok();
}

bool requires_label(Constraints const& where, std::string_view key) {
  return std::any_of(where.requirements.begin(), where.requirements.end(),
                     [&](LabelRule const& rule) { return rule.key == key && !rule.negated; });
}

// A gang's own variables, and the port that they name.
Status check_gang(JobSpec const& spec) {
  auto const is_gang = spec.nodes > 1 || spec.nodes_max > 0;
  if (spec.gang_port && (!is_gang || spec.resources.ports < 1))
    return bad("gang_port: is of gangs, and one of the ports of each task");
  for (auto const* name : {nodes_min_variable, nodes_max_variable})
    if (spec.env.contains(name) || spec.secrets.contains(name))
      return bad("env: " + std::string(name) + " is set for elastic jobs; remove it");
  for (auto const* name : gang_variables)
    if (is_gang && (spec.env.contains(name) || spec.secrets.contains(name)))
      return bad("env: " + std::string(name) + " is set by the gang; remove it");
  return ok();
}

Status check_image(JobSpec const& spec) {
  if (!spec.image_credentials.empty() && spec.image.empty())
    return bad("image_credentials: means nothing without image");
  if (!spec.image_credentials.empty() && !is_vault_url(spec.image_credentials))
    return bad("image_credentials: must be vault://PATH, for example vault://ghcr");
  if (spec.image.empty()) return ok();
  if (!is_image(spec.image))
    return bad("image: '" + spec.image + "' is no image; write [registry/]name[:tag]");
  if (!requires_label(spec.resources.where, containers_label))
    return bad("image: the requirements of the resources must name the label 'containers'");
  return ok();
}

Status check_command(JobSpec const& spec) {
  if (spec.command.empty() || spec.command.front().empty())
    return bad("command: this field is required, for example [python3, train.py]");
  if (!spec.workdir.empty() && !is_folder_name(spec.workdir))
    return bad("workdir: is not the identity of a folder that was sent; use `lepton apply`");
  std::size_t bytes = 0;
  for (auto const& word : spec.command) {
    bytes += word.size();
    if (has_nul(word)) return bad("command: holds a NUL");
  }
  if (spec.command.size() > 1024 || bytes > text_max)
    return bad("command: longer than 1024 words or 32 KiB");
  return ok();
}

Status check_preemption(JobSpec const& spec) {
  if (spec.priority < 0 || spec.priority > 100) return bad("priority: must be from 0 to 100");
  if (spec.checkpoint_interval_ms < 0 ||
      (spec.checkpoint_interval_ms > 0 && spec.checkpoint_interval_ms < 1000))
    return bad("checkpoint_interval: must be 0 or at least 1s");
  if (spec.min_runtime_ms < 0) return bad("min_runtime: is negative");
  if (!spec.preemptible && spec.min_runtime_ms > 0)
    return bad("min_runtime: means nothing with preemptible: false; leave one of them out");
  return ok();
}

}  // namespace

Status check_spec(JobId const& job, JobSpec const& spec) {
  if (!text::is_dns_label(job.value))
    return bad("job: the identity must be a DNS label, as the CLI makes it");
  if (!text::is_dns_label(spec.name))
    return bad("name: '" + spec.name.substr(0, 64) +
               "' must be a DNS label: a-z, 0-9 and '-', at most 63");
  if (!text::is_dns_label(spec.pool.value)) return bad("pool: must be a DNS label");
  if (spec.user == "root") return bad("user: work does not run as root; name another user or none");
  if (!spec.user.empty() && (spec.user.size() > 32 || !text::is_dns_label(spec.user)))
    return bad("user: '" + spec.user.substr(0, 32) + "' is not the name of a system user");
  if (auto good = check_command(spec); !good) return good;
  if (auto good = check_image(spec); !good) return good;
  if (auto good = check_environment(spec); !good) return good;
  if (auto good = check_gang(spec); !good) return good;
  if (spec.nodes < 1 || spec.nodes > 1024) return bad("nodes: must be from 1 to 1024");
  if (auto good = check_elastic(job, spec); !good) return good;
  // A node asks for the next about once a second; a shorter one runs out before that has arrived.
  if (spec.lease_ms < 2500) return bad("lease: must be at least 2500ms");
  if (auto good = check_preemption(spec); !good) return good;
  if (auto good = check_relations(job, spec); !good) return good;
  if (auto good = check_constraints(spec.resources.where, spec.nodes); !good) return good;
  if (auto good = check_prices(spec); !good) return good;
  return check_request(spec.resources);
}

}  // namespace lepton::deployer
