#include "services/deployer/views.hpp"

#include <fmt/format.h>

#include "schemas/registry.hpp"

namespace lepton::deployer {
namespace {

std::int64_t duration_ms(Job const& job, WallMs now) {
  if (job.started_at_ms == 0) return 0;
  return (job.finished_at_ms == 0 ? now : job.finished_at_ms) - job.started_at_ms;
}

std::string secret_path(std::string const& url) {
  constexpr std::string_view scheme = "vault://";
  return "secret/" + (url.starts_with(scheme) ? url.substr(scheme.size()) : url);
}

}  // namespace

std::map<std::string, std::string> secrets_of(JobSpec const& spec) {
  std::map<std::string, std::string> paths;
  for (auto const& [name, url] : spec.secrets) paths[name] = secret_path(url);
  if (!spec.image_credentials.empty()) paths[registry_secret] = secret_path(spec.image_credentials);
  return paths;
}

std::map<std::string, std::string> labels_of(NodeRow const& row) {
  auto labels = row.marked_labels;
  labels.insert(row.labels.begin(), row.labels.end());
  return labels;
}

AuditEvent own_event(std::string resource, std::string action, AuditOutcome outcome,
                     std::string why) {
  AuditEvent event;
  event.actor = "deployer";
  event.action = std::move(action);
  event.resource = std::move(resource);
  event.outcome = outcome;
  if (!why.empty()) event.detail["why"] = std::move(why);
  return event;
}

void put_taint(std::vector<Taint>& taints, Taint const& taint) {
  std::erase_if(taints, [&](Taint const& t) { return t.key == taint.key; });
  taints.insert(std::upper_bound(taints.begin(), taints.end(), taint), taint);
}

OnBehalf submitter(actor::Caller const& caller) {
  return {caller.name, caller.policies, caller.token};
}

std::string cancelled_by(actor::Caller const& caller, std::string const& reason) {
  auto const by = "cancelled by " + caller.name;
  return reason.empty() ? by : by + ": " + reason.substr(0, 200);
}

std::string words_of(TaskSize const& size) {
  return fmt::format("{:g} CPU, {} MiB", static_cast<double>(size.cpu_milli) / 1000.0,
                     size.memory_mib);
}

std::string words_of(Resizing const& r) {
  auto words = fmt::format("from {} to {}", words_of(r.from), words_of(r.to));
  if (r.back) words += ", which is taken back: " + r.why;
  return r.trouble.empty() ? words : words + "; tried again: " + r.trouble;
}

std::string resources_in_words(ResourceRequest const& r, std::uint32_t nodes) {
  std::string words = nodes > 1 ? fmt::format("{} x ", nodes) : "";
  if (r.gpus > 0) {
    auto model = r.gpu_models.empty() ? "" : " " + fmt::format("{}", fmt::join(r.gpu_models, "|"));
    if (!r.mig_profile.empty()) model += " " + r.mig_profile;
    words += r.gpu_milli < 1000 ? fmt::format("{:g} GPU{}, ", r.gpu_milli / 1000.0, model)
                                : fmt::format("{} GPU{}, ", r.gpus, model);
  }
  return words + words_of(size_of(r));
}

JobView view_of(Job const& job) {
  JobView v;
  v.job = job.id();
  v.owner = job.row.owner;
  v.spec = job.spec();
  if (job.resized) v.spec.resources = *job.resized;
  if (job.resizing) v.resizing = words_of(*job.resizing);
  v.state = job.run.state;
  v.submitted_at_ms = job.row.submitted_at_ms;
  v.started_at_ms = job.started_at_ms;
  v.finished_at_ms = job.finished_at_ms;
  v.round = job.run.round;
  v.failures = job.run.failures;
  v.interruptions = job.run.interruptions;
  v.preemptions = job.run.preemptions;
  v.why = job.why;
  for (std::uint32_t i = 0; i < job.run.members.size(); ++i) {
    auto const& m = job.run.members[i];
    auto const held = i < job.allocations.size() ? job.allocations[i] : Allocation{};
    v.tasks.push_back({i, attempt_id(job.id(), i, job.run.round), m.state, held, m.exit_code,
                       m.signal, m.reason});
  }
  return v;
}

JobLine line_of(Job const& job, WallMs now) {
  return {job.id(),
          job.row.name,
          job.row.owner,
          job.run.state,
          resources_in_words(job.resources(), job.spec().nodes),
          job.row.submitted_at_ms,
          duration_ms(job, now),
          job.run.round > 0 ? job.run.round - 1 : 0,
          job.why};
}

}  // namespace lepton::deployer
