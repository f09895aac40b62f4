// Another size for a job (core/resize): queued work waits for it from now on, running work is
// resized where it is.

#include "services/deployer/core/resize.hpp"

#include <fmt/format.h>

#include "common/base/planted.hpp"
#include "services/deployer/core/quota.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

std::vector<std::uint32_t> live_tasks(JobRun const& run) {
  std::vector<std::uint32_t> live;
  for (std::uint32_t i = 0; i < run.members.size(); ++i)
    if (!is_final(run.members[i].state)) live.push_back(i);
  return live;
}

}  // namespace

Result<JobResized> Deployer::resize_job(JobResize const& m, Context& c) {
  auto found = find_job(m.job, c, Verb::run);
  if (!found) return found.error();
  auto& job = **found;
  auto const state = job.run.state;
  if (serving_.replicas.contains(job.id()))
    return Error{Code::conflict, "the job is a replica of service '" +
                                     serving_.replicas.at(job.id()).first +
                                     "'; change `resources` there with `lepton service apply`"};
  if (job.resizing)
    return Error{Code::conflict, "job " + job.id().value + " is being resized already, " +
                                     words_of(*job.resizing) + "; wait until that is over"};
  if (state != JobState::queued && state != JobState::running)
    return Error{Code::conflict, "job " + job.id().value + " is " +
                                     std::string(schema::name_of(state)) +
                                     "; only queued and running work can be resized"};
  auto const from = size_of(job.resources());
  auto const to = meant(from, m.size);
  if (!to) return to.error();
  if (state == JobState::running && !all_run(job))
    return Error{Code::conflict, "some of its tasks have not started yet; try again when all run"};
  auto done = state == JobState::queued
                  ? resize_queued(job, *to, c)
                  : resize_running(job, {from, *to, false, "", new_ticket(c), ""}, c);
  if (!done) return done.error();
  c.note("size", fmt::format("{} to {}", words_of(from), words_of(*to)));
  return JobResized{job.id(), job.run.state, from, *to, job.resizing.has_value()};
}

bool Deployer::all_run(Job const& job) const {
  for (auto const& member : job.run.members)
    if (!is_final(member.state) && member.state != AttemptState::running) return false;
  return true;
}

Status Deployer::resize_queued(Job& job, TaskSize const& to, Context& c) {
  auto const request = sized(request_of(job), to);
  auto const result = placer_.place_gang(request, job.row.pool, job.spec().nodes);
  auto const* misfit = std::get_if<Misfit>(&result);
  if (misfit != nullptr && misfit->never && misfit->pool_nodes > 0)
    return Error{Code::invalid, "with that size the job can never start here: " + misfit->what};
  bool const was_queued = queue_.erase(job.id());
  bool const was_held = holding_.contains(job.id());
  if (was_held) drop_hold(job);
  job.set_size(to);
  save(job, c);
  if (was_queued || was_held) enqueue(job);
  more_to_place_ = true;
  pass(c);
  return ok();
}

// All tasks get room for the larger of both sizes, or none.
Status Deployer::resize_running(Job& job, Resizing resizing, Context& c) {
  auto const before = job.allocations;
  auto const size =
      planted("resized_before_agreed") ? resizing.to : larger(resizing.from, resizing.to);
  for (auto const task : live_tasks(job.run)) {
    auto const given = give_size(job, task, size);
    if (given) continue;
    for (auto const again : live_tasks(job.run)) {
      if (job.allocations[again] == before[again]) continue;
      auto const taken_back = give_size(job, again, resizing.from);
      LEPTON_CHECK(taken_back.has_value(), "what was held before is free no more");
    }
    return Error{Code::exhausted,
                 fmt::format("task {} cannot grow where it is: node {} has {}; wait until other "
                             "work there has ended, or cancel the job and submit it larger",
                             task, before[task].node.value, given.error().what)};
  }
  job.resizing = std::move(resizing);
  job.why.clear();
  save(job, c);
  tell_size(job, c);
  return ok();
}

Status Deployer::give_size(Job& job, std::uint32_t task, TaskSize const& size) {
  auto const attempt = attempt_id(job.id(), task, job.run.round);
  auto& allocation = job.allocations.at(task);
  auto const next = sized(allocation, size);
  if (auto changed = cluster_.resize(attempt, next); !changed) return changed;
  ledger_.subtract(job.row.pool, job.row.owner, usage_of(allocation));
  ledger_.add(job.row.pool, job.row.owner, usage_of(next));
  allocation = next;
  return ok();
}

void Deployer::tell_size(Job& job, Context& c) {
  job.agreed.clear();
  for (auto const task : live_tasks(job.run)) {
    auto const& node = job.run.members[task].node;
    auto const link = nodes_.find(node);
    if (link == nodes_.end()) continue;
    if (link->second.is_simulated())
      job.agreed.insert(task);  // nothing runs there that could refuse
    else
      wake_node(node, c);
  }
  settle_size(job, c);
}

void Deployer::take_size_report(Job& job, std::uint32_t task, SizeReport const& report,
                                Context& c) {
  auto const& member = job.run.members.at(task);
  if (is_final(member.state)) return settle_size(job, c);
  auto const& node = member.node;
  if (!take_size(*job.resizing, job.agreed, task, report, node.value)) return settle_size(job, c);
  save(job, c);
  tell_size(job, c);
}

// Once all that live have agreed, nothing beyond the new size is held any more.
void Deployer::settle_size(Job& job, Context& c) {
  auto const live = live_tasks(job.run);
  if (!job.resizing || live.empty() || !is_over(job.agreed, live)) return;
  for (auto const task : live) {
    auto const given = give_size(job, task, target(*job.resizing));
    LEPTON_CHECK(given.has_value(), "less than is held does not fit");
  }
  end_resizing(job, c);
  save(job, c);
  more_to_place_ = true;
}

// Also when the round has ended meanwhile: the next one begins with the size that was wanted.
void Deployer::end_resizing(Job& job, Context& c) {
  if (!job.resizing) return;
  auto const over = *std::exchange(job.resizing, std::nullopt);
  job.agreed.clear();
  if (!over.back) job.set_size(over.to);
  if (over.back && job.run.state == JobState::running)
    job.why = fmt::format("it keeps {}; {} was refused: {}", words_of(over.from), words_of(over.to),
                          over.why);
  auto event = job_event(job, "deployer.job.resized");
  event.outcome = over.back ? AuditOutcome::failed : AuditOutcome::done;
  event.detail["size"] = words_of(over.from) + " to " + words_of(over.to);
  c.audit(std::move(event));
}

void Deployer::order_size(Job const& job, std::uint32_t task, NodeOrders& orders) const {
  if (!job.resizing || job.agreed.contains(task)) return;
  orders.sizes.push_back(
      {attempt_id(job.id(), task, job.run.round), target(*job.resizing), job.resizing->ticket});
}

}  // namespace lepton::deployer
