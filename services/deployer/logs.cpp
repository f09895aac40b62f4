// Logs stay on the node that wrote them. A wish for a part of one travels with the answer of the
// node's sync and comes back with the next.

#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t log_wishes_max = 1'000;

}  // namespace

void Deployer::logs(JobLogs const& m, Ticket<JobLogs> ticket, Context& c) {
  auto job = find_job(m.job, c, Verb::read);
  if (!job) return c.answer(ticket, job.error());
  auto const& run = (*job)->run;
  auto const tell = [&](std::string note, bool ended) {
    c.answer(ticket, Result<LogChunk>({{}, m.offset, m.offset, ended, std::move(note)}));
  };
  if (m.task >= (*job)->spec().nodes)
    return c.answer(ticket,
                    Error{Code::invalid, "the job has " + std::to_string((*job)->spec().nodes) +
                                             " task(s), numbered from 0"});
  if (run.members.size() <= m.task) {
    auto const* why = queue_.why((*job)->id());
    return tell("not started yet" + (why ? ": " + why->what : ""), is_final(run.state));
  }
  auto const link = nodes_.find(run.members[m.task].node);
  if (link == nodes_.end()) return tell("its node is gone, and its log with it", true);
  if (link->second.is_simulated())
    return tell("the simulated engine writes no log", is_final(run.members[m.task].state));
  if (link->second.silent)
    return tell("node " + link->first.value + " is silent at the moment", false);
  if (log_wishes_.size() >= log_wishes_max)
    return c.answer(ticket, Error{Code::exhausted, "too many logs are being read; try again"});
  auto const number = new_ticket(c);
  log_wishes_.emplace(number, LogWish{link->first, ticket});
  link->second.log_orders.push_back(
      {number, attempt_id((*job)->id(), m.task, run.round), m.offset, m.limit});
  c.after(15'000, [this, number](Context&) { log_wishes_.erase(number); });
  wake_node(link->first, c);
}

// Only from the node that was asked.
void Deployer::take_log(NodeId const& from, LogPart const& part, Context& c) {
  auto const found = log_wishes_.find(part.ticket);
  if (found == log_wishes_.end() || found->second.node != from) return;
  auto const ticket = found->second.ticket;
  log_wishes_.erase(found);
  c.answer(ticket, Result<LogChunk>(part.chunk));
}

}  // namespace lepton::deployer
