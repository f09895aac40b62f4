#include "services/deployer/core/elastic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lepton::deployer {
namespace {

constexpr std::size_t label_max = 63, suffix_max = 16;

Error bad(std::string what) {
  return {Code::invalid, std::move(what)};
}

}  // namespace

Status check_elastic(JobId const& job, JobSpec const& spec) {
  if (is_worker_id(job))
    return bad("job: '" + job.value +
               "' is called as workers of elastic jobs are; end it otherwise");
  if (spec.nodes_max == 0) return ok();
  if (spec.nodes_max < spec.nodes || spec.nodes_max > 1024)
    return bad("nodes_max: must be from nodes to 1024; leave it out for a fixed number");
  if (spec.array > 0) return bad("nodes_max: an array is not elastic; leave one of them out");
  if (job.value.size() + suffix_max > label_max)
    return bad("job: the identity of an elastic job has at most 47 characters");
  return ok();
}

bool takes_workers(JobSpec const& spec, JobRun const& run) {
  return is_elastic(spec) && run.state == JobState::running &&
         std::all_of(run.members.begin(), run.members.end(),
                     [](Member const& member) { return member.state == AttemptState::running; });
}

JobSpec worker_spec(JobSpec spec) {
  constexpr std::size_t name_max = label_max - 7;
  spec.name = spec.name.substr(0, name_max) + "-worker";
  spec.nodes = 1;
  spec.after.clear();
  spec.priority = std::max(0, spec.priority - worker_priority_less);
  spec.preemptible = true;
  spec.min_runtime_ms = 0;
  spec.no_fit = NoFit::wait;
  spec.retry.on_interruption = true;
  spec.on_demand_base = 0;
  spec.resources.where.topology = TopologyMode::none;
  spec.resources.where.topology_label.clear();
  return spec;
}

bool is_worker_id(JobId const& job) {
  auto const& id = job.value;
  auto const is_number_after = [&](std::size_t dash, char letter, std::size_t end) {
    return dash + 2 < end && id[dash + 1] == letter &&
           std::all_of(id.begin() + static_cast<std::ptrdiff_t>(dash) + 2,
                       id.begin() + static_cast<std::ptrdiff_t>(end),
                       [](char c) { return c >= '0' && c <= '9'; });
  };
  auto const round = id.rfind('-');
  if (round == std::string::npos || round == 0 || !is_number_after(round, 'r', id.size()))
    return false;
  auto const number = id.rfind('-', round - 1);
  return number != std::string::npos && is_number_after(number, 'w', round);
}

JobId worker_id(JobId const& job, std::uint32_t number, std::uint32_t round) {
  return JobId{fmt::format("{}-w{}-r{}", job.value, number, round)};
}

}  // namespace lepton::deployer
