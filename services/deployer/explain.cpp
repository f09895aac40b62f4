// Why a job waits, and why its node was chosen: worked out when asked, by the rules and scores that
// decide (core/explain, core/score), from the state as it stands.

#include <fmt/format.h>

#include <algorithm>

#include "services/deployer/core/choices.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

// "0.12 GPU", "1.5 cores": amounts as people write them.
std::string amount_words(Lack const& lack) {
  auto const miss = static_cast<double>(lack.wants - lack.has);
  if (lack.rule == rule::GpuShare::name) return fmt::format("{:g} of one GPU", miss / 1000);
  if (lack.rule == rule::Cpu::name) return fmt::format("{:g} cores", miss / 1000);
  return fmt::format("{:g} {}", miss, lack.unit);
}

// Nothing when a rule rejects the node that more room would not satisfy.
std::string nearest_miss(Misfit const& m) {
  constexpr std::string_view amounts[] = {
      rule::Island::name,   rule::Numa::name,      rule::Gpus::name,
      rule::GpuShare::name, rule::Cpu::name,       rule::Memory::name,
      rule::Disk::name,     rule::Bandwidth::name, rule::PortCount::name};
  std::string words;
  for (auto const& lack : m.lacks) {
    if (std::find(std::begin(amounts), std::end(amounts), lack.rule) == std::end(amounts))
      return "";
    words += (words.empty() ? "" : " and ") + amount_words(lack);
  }
  if (words.empty() || m.nearest.empty()) return "";
  return fmt::format("{} if {} more were free on node {}",
                     m.tasks > 1 ? "one more task fits" : "fits", words, m.nearest.value);
}

void add_misfit(Misfit const& m, JobExplanation& e) {
  e.never = m.never;
  e.pool_nodes = m.pool_nodes;
  e.fit_now = m.fit_now;
  e.nearest = m.nearest;
  if (!m.never) e.nearest_miss = nearest_miss(m);
  e.rejected = rule_counts(m);
  e.lacks = rule_lacks(m);
}

}  // namespace

Result<JobExplanation> Deployer::explain_job(JobExplain const& m, Context& c) {
  auto const found = find_job(m.job, c, Verb::read);
  if (!found) return found.error();
  auto const& job = **found;
  JobExplanation e;
  e.job = job.id();
  e.state = job.run.state;
  e.what = why_now(job);
  e.tasks = job.spec().nodes;
  e.policy = placer_.policy(job.row.pool).name();
  if (job.run.state == JobState::queued)
    explain_waiting(job, e, c);
  else if (live_.contains(job.id()))
    explain_places(job, m.choices, e);
  return e;
}

void Deployer::explain_waiting(Job const& job, JobExplanation& e, Context& c) {
  auto const holds = holding_.find(job.id());
  if (holds != holding_.end() && holds->second.starts_by_ms > 0) {
    e.reserved = true;
    e.starts_by_ms = holds->second.starts_by_ms;
  }
  auto const ahead = queue_.place_in_line(job.id());
  if (!ahead) {  // it waits for others, for a retry, or for what it preempts
    if (e.what.empty()) e.what = "waits until it is tried again";
    return;
  }
  e.ahead = *ahead;
  auto const& spec = job.spec();
  auto const request = request_of(job);
  auto const result = power_.look_for(request, spec.pool, spec.nodes);
  auto const* places = std::get_if<std::vector<Allocation>>(&result);
  if (auto const beyond = beyond_limit(job)) {
    e.what = *beyond;
  } else if (auto const why =
                 places == nullptr ? std::nullopt : objection(job, *places, instant(c).wall_ms)) {
    e.what = *why;
  } else if (auto const* misfit = std::get_if<Misfit>(&result)) {
    add_misfit(*misfit, e);
    e.what = misfit->what;
    if (misfit->for_room && !misfit->never)
      e.what += slices_.planned().kept_in(spec.pool, instant(c).wall_ms);
  }
  auto const now = instant(c).wall_ms;
  auto const head = reserved_.find(spec.pool);
  e.reserved = head != reserved_.end() && head->second.job == job.id() && head->second.plan;
  std::optional<Reservation> plan;
  if (e.reserved)
    plan = head->second.plan;
  else if (has_limits(spec.pool) && std::holds_alternative<Misfit>(result))
    plan = plan_reservation({job.id(), spec.pool, request, spec.nodes, spec.priority}, now);
  if (!plan) return;
  e.starts_by_ms = plan->starts_by_ms;
  e.starts_after = plan->last;
}

// For its first task, as if that were to be placed again now.
void Deployer::explain_places(Job const& job, std::uint32_t most, JobExplanation& e) {
  if (job.allocations.empty()) return;
  auto const& spec = job.spec();
  auto const& policy = placer_.policy(spec.pool);
  Draft draft(cluster_);
  for (std::uint32_t i = 0; i < job.allocations.size(); ++i)
    if (auto const* held = cluster_.held(attempt_id(job.id(), i, job.run.round)))
      draft.give(cluster_.find(held->node)->slot, *held);
  auto const& home = job.allocations.front().node;
  auto ranked = ranked_choices(draft, cluster_, request_of(job), spec.pool, policy, home, most);
  e.pool_nodes = static_cast<std::uint32_t>(cluster_.pool(spec.pool).size());
  e.nodes_that_fit = ranked.nodes_that_fit;
  e.choices = std::move(ranked.choices);
  e.what = fmt::format(
      "runs on node {}; of {} nodes {} could take a task of it now, and these are "
      "the best as things stand",
      home.value, e.pool_nodes, e.nodes_that_fit);
}

}  // namespace lepton::deployer
