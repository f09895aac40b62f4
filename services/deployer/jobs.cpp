// What people ask of the deployer about jobs.

#include <algorithm>

#include "schemas/vault.hpp"
#include "services/deployer/core/feasible.hpp"
#include "services/deployer/core/spec_check.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {

Status Deployer::check_submit(JobSubmit const& m, Context& c) {
  if (auto good = check_spec(m.job, m.spec); !good) return good;
  if (m.spec.probes.any())
    return Error{Code::invalid, "probes: belong to services; see `lepton service apply --help`"};
  if (m.spec.on_demand_base > 0 && m.spec.array == 0)
    return Error{Code::invalid,
                 "on_demand_base: is of arrays and services; for one job write spot: never"};
  auto const path = "job/" + c.caller().name + "/" + m.spec.name;
  if (auto allowed = c.allow(Verb::run, path); !allowed) return allowed;
  if (queue_.size() + live_.size() >= settings_.jobs_max)
    return Error{Code::exhausted, "the deployer holds " + std::to_string(settings_.jobs_max) +
                                      " unfinished jobs; wait until some have ended"};
  return ok();
}

// A job with secrets is taken in only when its owner may read them now; they are read again at each
// start.
void Deployer::submit(JobSubmit const& m, Ticket<JobSubmit> ticket, Context& c) {
  if (auto good = check_submit(m, c); !good) return c.answer(ticket, good.error());
  if (!has_secrets(m.spec)) return accept(m, ticket, c);
  SecretCheck check;
  check.who = submitter(c.caller());
  check.secrets = secrets_of(m.spec);
  c.ask("vault", check, 10'000, [this, m, ticket](Result<SecretsChecked> checked, Context& later) {
    if (!checked) return later.answer(ticket, checked.error());
    accept(m, ticket, later);
  });
}

void Deployer::accept(JobSubmit const& m, Ticket<JobSubmit> ticket, Context& c) {
  auto* call = c.open_call(ticket);
  if (call == nullptr) return;  // its deadline has passed, and it was refused
  auto const& caller = call->request.caller;
  if (auto const array = arrays_.find(m.job); array != arrays_.end()) {
    auto const some = jobs_.find(member_of_array(m.job, array->second.size - 1));
    if (some != jobs_.end() && array->second.owner == caller.name &&
        array_spec(some->second.spec()) == m.spec)
      return c.answer(ticket, accepted_array(m.job));
    return c.answer(ticket, Error{Code::conflict, "array " + m.job.value +
                                                      " exists with another spec or owner; choose "
                                                      "a new identity"});
  }
  if (auto const known = jobs_.find(m.job); known != jobs_.end()) {
    auto const same = known->second.row.owner == caller.name && known->second.spec() == m.spec;
    if (same) return c.answer(ticket, accepted(known->second));
    return c.answer(ticket,
                    Error{Code::conflict, "job " + m.job.value +
                                              " exists with another spec or owner; choose a "
                                              "new identity"});
  }
  auto waits_for = resolve_after(m.spec, caller.name);
  if (!waits_for) return c.answer(ticket, waits_for.error());
  auto first = power_.look_for(asked_now(m.spec, 0), m.spec.pool, m.spec.nodes);
  auto const* misfit = std::get_if<Misfit>(&first);
  if (auto const beyond = beyond_limit_alone(m.spec, caller.name))
    return c.answer(ticket, Error{Code::invalid, *beyond});
  if (misfit != nullptr && misfit->never && misfit->pool_nodes > 0 && m.spec.no_fit == NoFit::wait)
    return c.answer(ticket, Error{Code::invalid, "the job can never start here: " + misfit->what});

  if (auto here = folders_.check(caller.name, m.spec.workdir); !here)
    return c.answer(ticket, here.error());

  folders_.use(caller.name, m.spec.workdir, c);
  arrived(m.spec.resources, m.spec.nodes * std::max(1u, m.spec.array));
  JobRow common;
  common.owner = caller.name;
  common.policies = caller.policies;
  common.token = caller.token;
  common.waits_for = std::move(*waits_for);
  call->detail["job"] = m.job.value;
  if (m.spec.array > 0) return accept_array(m, ticket, common, c);
  auto& kept = take_in(m.job, m.spec, common, c);
  auto const* places = std::get_if<std::vector<Allocation>>(&first);
  auto const against = places == nullptr ? std::optional(misfit->what)
                                         : objection(kept, *places, instant(c).wall_ms);
  if (against && m.spec.no_fit == NoFit::refuse) {
    apply_event(kept, Refuse{*against}, c);
  } else {
    admit(kept, c);
    pass(c);
    if (kept.run.state == JobState::queued) {
      if (auto const* why = queue_.why(m.job)) kept.why = why->what;
      save(kept, c);
    }
  }
  c.answer(ticket, accepted(kept));
}

Job& Deployer::take_in(JobId const& id, JobSpec const& spec, JobRow const& common, Context& c) {
  Job job;
  job.row = common;
  job.row.job = id;
  job.row.name = spec.name;
  job.row.pool = spec.pool;
  job.row.spec = spec;
  job.row.queue_order = std::int64_t(next_order_++);
  job.row.submitted_at_ms = c.wall();
  job.queued_at_ms = last_queued_at_ms_ = std::max(last_queued_at_ms_, c.wall());
  auto& kept = jobs_[id] = std::move(job);
  if (!kept.row.worker_of) newest_[{kept.row.owner, kept.row.name}] = id;
  c.append(kept.row);
  return kept;
}

JobAccepted Deployer::accepted(Job const& job) const {
  JobAccepted a{job.id(), job.run.state, job.row.submitted_at_ms, job.why, {}};
  a.nodes = nodes_of(job.allocations);
  return a;
}

// By identity, by a unique start of it (8 characters at least), or by the name of one's newest job.
Result<Job*> Deployer::find_job(JobId const& wanted, Context& c, Verb verb) {
  auto found = jobs_.find(wanted);
  if (found == jobs_.end())
    if (auto const named = newest_.find({c.caller().name, wanted.value}); named != newest_.end())
      found = jobs_.find(named->second);
  if (found == jobs_.end() && wanted.value.size() >= 8) {
    auto const next_job = [&](auto it) {
      while (it != jobs_.end() && it->second.row.worker_of) ++it;
      return it;
    };
    auto const matches = [&](auto it) {
      return it != jobs_.end() && it->first.value.starts_with(wanted.value);
    };
    auto const at = next_job(jobs_.lower_bound(wanted));
    if (matches(at) && !matches(next_job(std::next(at)))) found = at;
  }
  if (found == jobs_.end()) {
    if (auto allowed = c.allow(verb, "job/" + c.caller().name + "/unknown"); !allowed)
      return allowed.error();
    return Error{Code::not_found,
                 "there is no job '" + wanted.value + "'; `lepton job list` shows yours"};
  }
  if (auto allowed = c.allow(verb, found->second.path()); !allowed) return allowed.error();
  return &found->second;
}

Result<JobView> Deployer::show(JobShow const& m, Context& c) {
  if (auto const* array = find_array(m.job, c.caller().name)) {
    if (auto allowed = c.allow(Verb::read, arrays_.at(*array).path()); !allowed)
      return allowed.error();
    return view_of_array(*array);
  }
  auto job = find_job(m.job, c, Verb::read);
  if (!job) return job.error();
  auto view = view_of(**job);
  view.workers = workers_in((*job)->id(), JobState::running);
  view.why = why_now(**job);
  return view;
}

Result<JobPage> Deployer::list(JobList const& m, Context& c) {
  auto const owner = m.owner.empty() ? c.caller().name : m.owner;
  auto const everyone = owner == "all";
  if (auto allowed = c.allow(Verb::list, everyone ? "job" : "job/" + owner); !allowed)
    return allowed.error();
  JobPage page;
  std::vector<Job const*> matching;
  for (auto const& [id, job] : jobs_) {
    if (!everyone && job.row.owner != owner) continue;
    if (!m.pool.empty() && job.row.pool != m.pool) continue;
    ++page.states[std::string(schema::name_of(job.run.state))];
    if (m.state.empty() || schema::name_of(job.run.state) == m.state) matching.push_back(&job);
  }
  std::sort(matching.begin(), matching.end(),
            [](auto const* a, auto const* b) { return a->row.queue_order > b->row.queue_order; });
  std::set<JobId> arrays;  // a line each, where their newest job stands
  if (!m.expand)
    std::erase_if(matching, [&](Job const* job) {
      return !job->row.array_of.empty() && !arrays.insert(job->row.array_of).second;
    });
  page.total = matching.size();
  for (std::size_t i = 0; i < std::min<std::size_t>(m.limit, matching.size()); ++i) {
    auto const& job = *matching[i];
    auto const alone = m.expand || job.row.array_of.empty();
    page.jobs.push_back(alone ? line_of(job, c.wall()) : line_of_array(job.row.array_of, c.wall()));
  }
  return page;
}

JobLine Deployer::line_of(Job const& job, WallMs now) const {
  auto line = deployer::line_of(job, now);
  line.reason = why_now(job);
  return line;
}

// Why it waits, as last seen; after a preemption also who has its room.
std::string Deployer::why_now(Job const& job) const {
  auto const* why = queue_.why(job.id());
  if (why == nullptr) return job.why;
  if (job.run.ending.cause != Cause::preemption) return why->what;
  return job.run.ending.reason + "; now " + why->what;
}

Result<JobCancelled> Deployer::cancel(JobCancel const& m, Context& c) {
  if (auto const* array = find_array(m.job, c.caller().name)) {
    if (auto allowed = c.allow(Verb::remove, arrays_.at(*array).path()); !allowed)
      return allowed.error();
    return cancel_array(JobId(*array), m.reason, c);
  }
  auto found = find_job(m.job, c, Verb::remove);
  if (!found) return found.error();
  auto& job = **found;
  if (is_final(job.run.state))
    return Error{Code::conflict, "job " + job.id().value + " has already ended: " +
                                     std::string(schema::name_of(job.run.state))};
  queue_.erase(job.id());
  apply_event(job, Cancel{cancelled_by(c.caller(), m.reason)}, c);
  if (more_to_place_) pass(c);
  return JobCancelled{job.id(), job.run.state};
}

Result<PlanView> Deployer::plan(JobPlan const& m, Context& c) {
  if (auto good = check_spec(JobId{"plan"}, m.spec); !good) return good.error();
  PlanView view;
  auto const previous = newest_.find({c.caller().name, m.spec.name});
  auto const kept = previous == newest_.end() ? jobs_.end() : jobs_.find(previous->second);
  if (kept != jobs_.end() && !is_final(kept->second.run.state))
    view.changes.push_back("a job of this name is unfinished (" + previous->second.value +
                           "); a new one would run beside it");
  auto const request = asked_now(m.spec, 0);
  auto result = power_.look_for(request, m.spec.pool, m.spec.nodes);
  if (auto* misfit = std::get_if<Misfit>(&result)) {
    view.never = misfit->never;
    view.why = misfit->what;
    QueuedJob const queued{JobId{"plan"}, m.spec.pool, request, m.spec.nodes, m.spec.priority};
    auto const preemption = misfit->never ? std::nullopt : plan_for(queued, c.caller().name, c);
    if (preemption && !preemption->victims.empty())
      view.changes.push_back("stop " + std::to_string(preemption->victims.size()) +
                             " job(s) of lower priority, then start the job");
    else
      view.changes.push_back(misfit->never ? "refuse the job" : "queue the job");
  } else if (auto const why =
                 objection(m.spec, c.caller().name, std::get<std::vector<Allocation>>(result),
                           instant(c).wall_ms)) {
    view.why = *why;
    view.changes.push_back("queue the job");
  } else {
    view.fits = true;
    view.allocations = std::move(std::get<std::vector<Allocation>>(result));
    view.changes.push_back("start " + std::to_string(m.spec.nodes) + " task(s)");
  }
  return view;
}

}  // namespace lepton::deployer
