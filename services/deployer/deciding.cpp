// What is kept of decisions (decisions/), and how they are made again when somebody asks: the state
// is built anew on another thread from the snapshot before them, page by page.

#include <algorithm>

#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t rows_per_page = 500;

// Which rules keep it back, without the numbers that change with every start and end.
std::string rules_of(Misfit const& m) {
  if (m.rejected.empty()) return m.for_room ? m.what : "a limit, or what others have reserved";
  std::string rules;
  for (auto const& r : m.rejected) rules += std::string(r.rule) + " ";
  return rules;
}

Error no_decision(std::string const& what) {
  return {Code::not_found,
          "no decision about " + what + " is kept; see lepton decision list for those that are"};
}

}  // namespace

struct Deployer::ReplayRun {
  Ticket<DecisionReplay> ticket;
  Replayer replayer;
  std::int64_t next = 0;
  std::int64_t last = 0;
  Status good = ok();
  std::int64_t go_on_at = 0;
};

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
  auto const terms = placer_.policy(queued.pool).terms(node, node.free, ask);
  job.decision = decisions_.decided(std::move(in), {places, {}, 0, ""}, terms, c);
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
  job.decision = decisions_.decided(input_of(DecisionKind::wait, queued, c),
                                    {{}, {}, 0, misfit.what}, {}, c, misfit.for_room);
  auto event = job_event(job, "deployer.job.waiting");
  event.detail["why"] = misfit.what;
  c.audit(std::move(event));
}

void Deployer::list_decisions(DecisionList const& m, Ticket<DecisionList> ticket, Context& c) {
  store::Query query{nullptr, {}, "", true, m.limit};
  if (m.job.empty()) {
    if (auto allowed = c.allow(Verb::read, "decision"); !allowed)
      return c.answer(ticket, allowed.error());
    query.where.push_back({"job", store::Compare::greater, std::string()});
  } else {
    auto const job = find_job(m.job, c, Verb::read);
    if (!job) return c.answer(ticket, job.error());
    query.where.push_back({"job", store::Compare::equal, (*job)->id().value});
  }
  if (m.before > 0) query.where.push_back({"number", store::Compare::less, m.before});
  c.find<DecisionRow>(std::move(query),
                      [ticket](Result<std::vector<DecisionRow>> const& found, Context& later) {
                        if (!found) return later.answer(ticket, found.error());
                        DecisionPage page;
                        for (auto const& row : *found) page.decisions.push_back(decision_line(row));
                        later.answer(ticket, page);
                      });
}

void Deployer::replay_decisions(DecisionReplay const& m, Ticket<DecisionReplay> ticket,
                                Context& c) {
  if (!m.job.empty()) {
    auto const job = find_job(m.job, c, Verb::read);
    if (!job) return c.answer(ticket, job.error());
    return find_decision(m, {"job", store::Compare::equal, (*job)->id().value}, ticket, c);
  }
  if (auto allowed = c.allow(Verb::read, "decision"); !allowed)
    return c.answer(ticket, allowed.error());
  if (m.number > 0) return find_decision(m, {"number", store::Compare::equal, m.number}, ticket, c);
  begin_replay(m, 0, ticket, c);
}

void Deployer::find_decision(DecisionReplay const& m, store::Condition which,
                             Ticket<DecisionReplay> ticket, Context& c) {
  store::Query query{nullptr, {std::move(which)}, "", true, 1};
  c.find<DecisionRow>(std::move(query), [this, m, ticket](
                                            Result<std::vector<DecisionRow>> const& found,
                                            Context& later) {
    if (!found) return later.answer(ticket, found.error());
    if (found->empty() || found->front().job.empty())
      return later.answer(ticket, no_decision(m.job.empty() ? "number " + std::to_string(m.number)
                                                            : "job " + m.job.value));
    begin_replay(m, found->front().number, ticket, later);
  });
}

// One decision is made again from the snapshot before it; without one all decisions are, from a
// snapshot to the next.
void Deployer::begin_replay(DecisionReplay const& m, std::int64_t number,
                            Ticket<DecisionReplay> ticket, Context& c) {
  if (replaying_)
    return c.answer(ticket, Error{Code::exhausted,
                                  "decisions are being made again for somebody else; try again in "
                                  "a few seconds"});
  auto const& all = decisions_.snapshots();
  auto const from =
      number > 0 ? std::upper_bound(all.begin(), all.end(), number)
                 : std::lower_bound(all.begin(), all.end(), std::max<std::int64_t>(m.from, 1));
  if (number > 0 ? from == all.begin() : from == all.end())
    return c.answer(ticket, no_decision("number " + std::to_string(number > 0 ? number : m.from)));
  auto const first = number > 0 ? std::prev(from) : from;
  auto const next = std::next(first);
  auto run = std::make_shared<ReplayRun>(ReplayRun{ticket, Replayer(number, m.choices)});
  run->next = *first;
  run->last = number > 0 ? number : next == all.end() ? decisions_.next() - 1 : *next - 1;
  run->go_on_at = number > 0 || next == all.end() ? 0 : *next;
  replaying_ = true;
  go_on_replaying(std::move(run), c);
}

void Deployer::go_on_replaying(std::shared_ptr<ReplayRun> run, Context& c) {
  store::Query query{nullptr,
                     {{"number", store::Compare::greater_equal, run->next},
                      {"number", store::Compare::less_equal, run->last}},
                     "",
                     false,
                     rows_per_page};
  c.find<DecisionRow>(std::move(query),
                      [this, run](Result<std::vector<DecisionRow>> const& found, Context& later) {
                        if (!found) run->good = found.error();
                        if (!found || found->empty()) return end_replay(*run, later);
                        run->next = found->back().number + 1;
                        later.work(
                            [run, rows = *found] {
                              for (auto const& row : rows)
                                if (run->good) run->good = run->replayer.feed(row);
                            },
                            [this, run](Context& after) {
                              if (!run->good || run->next > run->last)
                                return end_replay(*run, after);
                              go_on_replaying(run, after);
                            });
                      });
}

void Deployer::end_replay(ReplayRun& run, Context& c) {
  replaying_ = false;
  if (!run.good) return c.answer(run.ticket, run.good.error());
  auto result = run.replayer.result();
  result.next = run.go_on_at;
  c.answer(run.ticket, result);
}

}  // namespace lepton::deployer
