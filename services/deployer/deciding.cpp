// What is kept of decisions (decisions/), and who may read them and have them made again.

#include "services/deployer/core/choices.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

// Which rules keep it back, without the numbers that change with every start and end.
std::string rules_of(Misfit const& m) {
  if (m.rejected.empty()) return m.for_room ? m.what : "a limit, or what others have reserved";
  std::string rules;
  for (auto const& r : m.rejected) rules += std::string(r.rule) + " ";
  return rules;
}

}  // namespace

void Deployer::arrived(ResourceRequest const& request, std::uint32_t tasks) {
  placer_.observe(request, tasks);
  decisions_.arrived(request, tasks);
}

DecisionInput Deployer::input_of(DecisionKind kind, QueuedJob const& queued, Context& c) {
  DecisionInput in;
  in.kind = kind;
  in.job = queued.job;
  in.pool = queued.pool;
  in.request = queued.resources;
  in.tasks = queued.tasks;
  in.policy = placer_.policy(queued.pool).name();
  in.now_ms = instant(c).wall_ms;
  return in;
}

// Before its places are taken: what they cost is worked out from the room that they are chosen
// from.
void Deployer::note_placed(Job& job, QueuedJob const& queued, std::vector<Allocation> const& places,
                           Beside const& beside, Context& c) {
  auto const is_beside = !beside.reserved.job.empty();
  auto in = input_of(is_beside ? DecisionKind::beside : DecisionKind::place, queued, c);
  in.reserved = beside.reserved;
  if (is_beside) in.ends = listed(beside.ends);
  auto const& node = *cluster_.find(places.front().node);
  Ask const ask(cluster_, queued.resources, queued.pool);
  Reasons reasons{placer_.policy(queued.pool).terms(node, node.free, ask), {}};
  job.decision = decisions_.decided(std::move(in), {places, {}, 0, ""}, std::move(reasons), c);
  job.waits_for.clear();
}

// When the rules that keep it back are others than before, and not too often.
void Deployer::note_waits(Job& job, QueuedJob const& queued, Misfit const& misfit, Context& c) {
  auto const due =
      job.waits_for.empty() || c.now() - job.waits_told_at >= settings_.waits_told_every_ms;
  if (!due) return;
  auto rules = rules_of(misfit);
  if (rules == job.waits_for) return;
  job.waits_for = std::move(rules);
  job.waits_told_at = c.now();
  DecisionWait waits{rule_counts(misfit), misfit.nearest, rule_lacks(misfit), 0, {}};
  job.decision =
      decisions_.decided(input_of(DecisionKind::wait, queued, c), {{}, {}, 0, misfit.what},
                         {{}, std::move(waits)}, c, misfit.for_room);
  auto event = job_event(job, "deployer.job.waiting");
  event.detail["why"] = misfit.what;
  c.audit(std::move(event));
}

// The job by its identity; to name none takes the right to read every job.
Result<JobId> Deployer::decided_about(JobId const& named, Context& c) {
  if (!named.empty()) {
    auto const job = find_job(named, c, Verb::read);
    return job ? Result<JobId>((*job)->id()) : job.error();
  }
  if (auto allowed = c.allow(Verb::read, "job"); !allowed) return allowed.error();
  return named;
}

void Deployer::list_decisions(DecisionList const& m, Ticket<DecisionList> ticket, Context& c) {
  auto const job = decided_about(m.job, c);
  if (!job) return c.answer(ticket, job.error());
  replays_.list(m, *job, ticket, c);
}

void Deployer::replay_decisions(DecisionReplay const& m, Ticket<DecisionReplay> ticket,
                                Context& c) {
  auto const job = decided_about(m.job, c);
  if (!job) return c.answer(ticket, job.error());
  replays_.replay(m, *job, ticket, c);
}

}  // namespace lepton::deployer
