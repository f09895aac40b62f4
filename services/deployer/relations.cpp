// What jobs are to each other (core/relations): many of one spec are an array, and some wait for
// the end of others. A job that waits so is queued for people, but stands in no lane yet.

#include <algorithm>

#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

std::string wanted_text(Dependency const& d) {
  return d.job + (d.end == AfterEnd::ok ? "" : ":" + std::string(schema::name_of(d.end)));
}

}  // namespace

// Only one's own jobs, which exist already: so there is no cycle.
Result<std::vector<Dependency>> Deployer::resolve_after(JobSpec const& spec,
                                                        std::string const& owner) const {
  std::vector<Dependency> resolved;
  for (auto const& d : spec.after) {
    JobId id{d.job};
    if (auto const* array = find_array(id, owner))
      id = *array;
    else if (auto const named = newest_.find({owner, d.job}); named != newest_.end())
      id = named->second;
    auto const job = jobs_.find(id);
    auto const array = arrays_.find(id);
    auto const& whose = job != jobs_.end()       ? job->second.row.owner
                        : array != arrays_.end() ? array->second.owner
                                                 : std::string();
    if (whose != owner)
      return Error{Code::not_found, "after: there is no job '" + d.job +
                                        "' of yours; submit it first (`lepton job list` shows "
                                        "yours)"};
    auto const state = state_of_any(id);
    if (met(d.end, state) == Met::never)
      return Error{Code::invalid, "after: job " + wanted_text(d) + " is " +
                                      std::string(schema::name_of(state)) +
                                      ", so this job could never start"};
    resolved.push_back({id.value, d.end});
  }
  return resolved;
}

// Its jobs are taken in together or not at all.
void Deployer::accept_array(JobSubmit const& m, Ticket<JobSubmit> ticket, JobRow const& common,
                            Context& c) {
  if (queue_.size() + live_.size() + m.spec.array > settings_.jobs_max)
    return c.answer(ticket, Error{Code::exhausted, "array: more jobs than the deployer can hold"});
  for (std::uint32_t i = 0; i < m.spec.array; ++i)
    if (auto const id = member_of_array(m.job, i); jobs_.contains(id))
      return c.answer(ticket,
                      Error{Code::conflict, "job " + id.value + " exists; choose a new identity"});
  auto row = common;
  row.array_of = m.job;
  std::vector<JobId> members;
  for (std::uint32_t i = 0; i < m.spec.array; ++i) {
    auto const& kept = take_in(member_of_array(m.job, i), member_spec(m.spec, i), row, c);
    note_array(kept);
    members.push_back(kept.id());
  }
  for (auto const& id : members) admit(jobs_.at(id), c);
  pass(c);
  // What has no run yet is told from what has ended by its row (the view job_in_use).
  for (auto const& id : members)
    if (jobs_.at(id).run.state == JobState::queued) save(jobs_.at(id), c);
  c.answer(ticket, accepted_array(m.job));
}

void Deployer::note_array(Job const& job) {
  auto const& spec = job.spec();
  auto& array = arrays_[job.row.array_of];
  array.owner = job.row.owner;
  array.name = job.row.name;
  array.size = spec.array;
  array.parallel = spec.array_parallel;
}

// Whether all that it waits for have ended as wanted. Each is looked at when it ends, for it may be
// forgotten long before the last one does. One that can never start is cancelled.
bool Deployer::has_waited(Job& job, Context& c) {
  Dependency const* first = nullptr;
  for (auto const& d : job.row.waits_for) {
    if (job.waited.contains(d.job)) continue;
    auto const state = state_of_any(JobId{d.job});
    auto const how = met(d.end, state);
    if (how == Met::never) {
      apply_event(job,
                  Cancel{"job " + d.job + " is " + std::string(schema::name_of(state)) +
                         ", and this one was to start after " + wanted_text(d)},
                  c);
      return false;
    }
    if (how == Met::met) {
      job.waited.insert(d.job);
      continue;
    }
    dependents_[JobId{d.job}].insert(job.id());
    if (first == nullptr) first = &d;
  }
  if (first != nullptr) job.why = "waits for job " + wanted_text(*first) + " to end";
  return first == nullptr;
}

// Into the queue, unless it waits for other jobs or for its turn in its array.
void Deployer::admit(Job& job, Context& c) {
  auto const stood_aside = std::exchange(job.stood_aside, true);
  if (!has_waited(job, c)) return;
  if (!job.row.array_of.empty()) {
    auto& array = arrays_.at(job.row.array_of);
    if (array.parallel > 0 && array.active.size() >= array.parallel) {
      array.waiting.push_back(job.id());
      job.why = "waits for its turn: at most " + std::to_string(array.parallel) +
                " jobs of its array run at one time";
      return;
    }
    array.active.insert(job.id());
  }
  if (job.run.round == 0) job.why.clear();
  job.stood_aside = false;
  if (stood_aside) {  // its patience begins now
    job.run.waits_since_ms = instant(c).wall_ms;
    save(job, c);
  }
  enqueue(job);
}

void Deployer::settle_ended(Context& c) {
  while (!ended_.empty()) {
    auto const id = std::move(ended_.front());
    ended_.pop_front();
    auto const job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    auto const array_id = job->second.row.array_of;
    admit_dependents(id, c);
    auto const array = arrays_.find(array_id);
    if (array == arrays_.end()) continue;
    next_of_array(array->second, id, c);
    if (dependents_.contains(array_id) && is_final(state_of_any(array_id)))
      admit_dependents(array_id, c);
  }
}

void Deployer::admit_dependents(JobId const& ended, Context& c) {
  auto const waiting = dependents_.extract(ended);
  if (waiting.empty()) return;
  for (auto const& id : waiting.mapped())
    if (auto const job = jobs_.find(id); job != jobs_.end() && job->second.waits())
      admit(job->second, c);
}

void Deployer::next_of_array(JobArray& array, JobId const& ended, Context& c) {
  array.active.erase(ended);
  while (!array.waiting.empty() && array.active.size() < array.parallel) {
    auto const id = array.waiting.front();
    array.waiting.pop_front();
    auto& job = jobs_.at(id);
    if (job.run.state == JobState::queued) admit(job, c);
  }
}

// A finished job leaves memory.
void Deployer::forget_finished(Job const& job) {
  auto const array = arrays_.find(job.row.array_of);
  if (array == arrays_.end()) return;
  auto& a = array->second;
  std::erase(a.waiting, job.id());
  ++a.gone[job.run.state];
  std::uint32_t gone = 0;
  for (auto const& [state, count] : a.gone) gone += count;
  if (gone == a.size) arrays_.erase(array);
}

// By identity, or by the name of one's newest job where that is of an array.
JobId const* Deployer::find_array(JobId const& wanted, std::string const& owner) const {
  auto found = arrays_.find(wanted);
  if (auto const named = newest_.find({owner, wanted.value});
      found == arrays_.end() && named != newest_.end())
    found = arrays_.find(jobs_.at(named->second).row.array_of);
  return found == arrays_.end() ? nullptr : &found->first;
}

StateCounts Deployer::counts_of(JobId const& id) const {
  auto const& array = arrays_.at(id);
  auto counts = array.gone;
  for (std::uint32_t i = 0; i < array.size; ++i)
    if (auto const job = jobs_.find(member_of_array(id, i)); job != jobs_.end())
      ++counts[job->second.run.state];
  return counts;
}

// One that is not known any more has ended, and nobody knows how.
JobState Deployer::state_of_any(JobId const& id) const {
  if (arrays_.contains(id)) return deployer::state_of(counts_of(id));
  auto const job = jobs_.find(id);
  return job == jobs_.end() ? JobState::cancelled : job->second.run.state;
}

JobAccepted Deployer::accepted_array(JobId const& id) const {
  auto const& array = arrays_.at(id);
  JobAccepted a{id, state_of_any(id), 0, text_of(counts_of(id)), {}};
  if (auto const last = jobs_.find(member_of_array(id, array.size - 1)); last != jobs_.end())
    a.queued_at_ms = last->second.row.submitted_at_ms;
  return a;
}

JobView Deployer::view_of_array(JobId const& id) const {
  auto const& array = arrays_.at(id);
  JobView v;
  v.job = id;
  v.owner = array.owner;
  v.state = state_of_any(id);
  v.why = text_of(counts_of(id));
  for (std::uint32_t i = 0; i < array.size; ++i) {
    auto const found = jobs_.find(member_of_array(id, i));
    if (found == jobs_.end()) continue;
    auto const& job = found->second;
    v.spec = array_spec(job.spec());
    v.submitted_at_ms = job.row.submitted_at_ms;
    if (job.started_at_ms > 0 && (v.started_at_ms == 0 || job.started_at_ms < v.started_at_ms))
      v.started_at_ms = job.started_at_ms;
    if (is_final(v.state)) v.finished_at_ms = std::max(v.finished_at_ms, job.finished_at_ms);
    v.failures += job.run.failures;
    v.interruptions += job.run.interruptions;
    v.preemptions += job.run.preemptions;
  }
  return v;
}

JobLine Deployer::line_of_array(JobId const& id, WallMs now) const {
  auto const v = view_of_array(id);
  JobLine line;
  line.job = id;
  line.name = arrays_.at(id).name + "[" + std::to_string(arrays_.at(id).size) + "]";
  line.owner = v.owner;
  line.state = v.state;
  line.resources = resources_in_words(v.spec.resources, v.spec.nodes);
  line.submitted_at_ms = v.submitted_at_ms;
  if (v.started_at_ms > 0)
    line.duration_ms = (v.finished_at_ms > 0 ? v.finished_at_ms : now) - v.started_at_ms;
  line.recoveries = v.failures + v.interruptions + v.preemptions;
  line.reason = v.why;
  return line;
}

// What waits goes at once, what runs is stopped.
JobCancelled Deployer::cancel_array(JobId const& id, std::string const& reason, Context& c) {
  auto const size = arrays_.at(id).size;
  for (std::uint32_t i = 0; i < size; ++i) {
    auto const job = jobs_.find(member_of_array(id, i));
    if (job == jobs_.end() || is_final(job->second.run.state)) continue;
    queue_.erase(job->first);
    apply_event(job->second, Cancel{cancelled_by(c.caller(), reason)}, c);
  }
  if (more_to_place_) pass(c);
  return {id, state_of_any(id)};
}

}  // namespace lepton::deployer
