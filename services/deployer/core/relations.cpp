#include "services/deployer/core/relations.hpp"

#include <set>

#include "common/base/text.hpp"

namespace lepton::deployer {
namespace {

Error bad(std::string what) {
  return {Code::invalid, std::move(what)};
}

}  // namespace

Status check_relations(JobId const& job, JobSpec const& spec) {
  if (spec.array == 0 && spec.array_parallel > 0)
    return bad("array_parallel: means nothing without array");
  if (spec.no_fit == NoFit::refuse && (spec.array > 0 || !spec.after.empty()))
    return bad(
        "no_fit: refuse decides at once, but an array, or a job with after, waits; use wait");
  for (auto const* name : {array_index_variable, array_size_variable})
    if (spec.array > 0 && spec.env.contains(name))
      return bad("env: " + std::string(name) + " is set by the array");
  if (spec.after.size() > dependencies_max) return bad("after: more than 64 jobs");
  std::set<std::string> seen;
  for (auto const& d : spec.after) {
    if (d.job.empty() || d.end == AfterEnd::unknown)
      return bad("after: each entry names a job and how it ends: ok, any or failed");
    if (d.job == job.value) return bad("after: a job cannot wait for itself");
    if (!seen.insert(d.job).second) return bad("after: '" + d.job + "' is named twice");
  }
  return ok();
}

Met met(AfterEnd wanted, JobState other) {
  if (!is_final(other)) return Met::not_yet;
  if (wanted == AfterEnd::any) return Met::met;
  auto const good = other == JobState::succeeded;
  return good == (wanted == AfterEnd::ok) ? Met::met : Met::never;
}

JobState state_of(StateCounts const& counts) {
  auto const has = [&](JobState s) { return counts.contains(s) && counts.at(s) > 0; };
  for (auto s : {JobState::running, JobState::starting, JobState::stopping, JobState::queued,
                 JobState::failed, JobState::refused, JobState::cancelled})
    if (has(s)) return s;
  return JobState::succeeded;
}

std::string text_of(StateCounts const& counts) {
  std::vector<std::string> parts;
  for (auto const& [state, count] : counts)
    if (count > 0)
      parts.push_back(std::to_string(count) + " " + std::string(schema::name_of(state)));
  return text::join(parts, ", ");
}

JobId member_of_array(JobId const& array, std::uint32_t index) {
  return {array.value + "-" + std::to_string(index)};
}

JobSpec member_spec(JobSpec const& array, std::uint32_t index) {
  auto spec = array;
  spec.env[array_index_variable] = std::to_string(index);
  spec.env[array_size_variable] = std::to_string(array.array);
  return spec;
}

JobSpec array_spec(JobSpec const& member) {
  auto spec = member;
  spec.env.erase(array_index_variable);
  spec.env.erase(array_size_variable);
  return spec;
}

}  // namespace lepton::deployer
