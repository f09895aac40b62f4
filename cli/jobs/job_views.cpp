#include "cli/jobs/job_views.hpp"

#include <fmt/format.h>

#include "cli/output/words.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

std::string name(auto state) {
  return std::string(schema::name_of(state));
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

// A program may travel in its command.
std::string shortened(std::string text) {
  constexpr std::size_t most = 120;
  return text.size() <= most ? text : text.substr(0, most) + " ...";
}

std::string held_words(Allocation const& a) {
  std::int64_t milli = 0;
  for (auto const& gpu : a.gpus) milli += gpu.milli;
  auto words = milli > 0 ? milli_words(milli) + " GPU, " : std::string();
  return words + task_words(size_of(a));
}

std::string request_words(JobSpec const& spec) {
  auto const& r = spec.resources;
  std::string words = spec.nodes > 1 ? fmt::format("{} x ", spec.nodes) : "";
  if (spec.nodes_max > 0) words = fmt::format("{} to {} x ", spec.nodes, spec.nodes_max);
  if (r.gpus > 0) {
    words += milli_words(static_cast<std::int64_t>(r.gpus) * r.gpu_milli) + " GPU";
    if (!r.mig_profile.empty()) words += " " + r.mig_profile;
    if (!r.gpu_models.empty()) words += " (" + text::join(r.gpu_models, " or ") + ")";
    if (r.gpu_memory_mib > 0) words += " with at least " + mib_words(r.gpu_memory_mib);
    words += ", ";
  }
  return words + task_words(size_of(r));
}

}  // namespace

Table job_table(JobPage const& page, WallMs now_ms) {
  Table table({"ID", "NAME", "OWNER", "RESOURCES", "SUBMITTED", "DURATION", "RECOVERIES", "STATUS",
               "REASON"});
  for (auto const& job : page.jobs)
    table.row({job.job.value, job.name, job.owner, job.resources, ago(job.submitted_at_ms, now_ms),
               job.duration_ms > 0 ? duration_words(job.duration_ms) : "-",
               std::to_string(job.recoveries), name(job.state), job.reason});
  return table;
}

Table job_sheet(JobView const& job, WallMs now_ms) {
  auto table = Table::sheet();
  auto const end = job.finished_at_ms > 0 ? job.finished_at_ms : now_ms;
  table.row({"ID", job.job.value})
      .row({"NAME", job.spec.name})
      .row({"OWNER", job.owner})
      .row({"STATUS", name(job.state)})
      .row({"REASON", or_dash(job.why)})
      .row({"COMMAND", shortened(text::join(job.spec.command, " "))})
      .row({"RESOURCES", request_words(job.spec)});
  if (job.spec.nodes_max > 0) table.row({"WORKERS", std::to_string(job.workers)});
  if (!job.resizing.empty()) table.row({"RESIZING", job.resizing});
  table.row({"POOL", job.spec.pool.value})
      .row({"PRIORITY", std::to_string(job.spec.priority)})
      .row({"SUBMITTED", time_words(job.submitted_at_ms)})
      .row({"STARTED", time_words(job.started_at_ms)})
      .row({"FINISHED", time_words(job.finished_at_ms)})
      .row({"DURATION", job.started_at_ms > 0 ? duration_words(end - job.started_at_ms) : "-"})
      .row({"ROUND", fmt::format("{} ({} failures, {} interruptions)", job.round, job.failures,
                                 job.interruptions)});
  std::vector<std::string> secrets;
  for (auto const& [variable, url] : job.spec.secrets) secrets.push_back(variable + " from " + url);
  if (!secrets.empty()) table.row({"SECRETS", text::join(secrets, ", ")});
  return table;
}

Table task_table(JobView const& job) {
  Table table({"TASK", "NODE", "HOLDS", "STATUS", "EXIT", "REASON"});
  for (auto const& task : job.tasks) {
    auto const ended = task.state == AttemptState::exited;
    auto const exit =
        task.signal != 0 ? fmt::format("signal {}", task.signal) : std::to_string(task.exit_code);
    table.row({std::to_string(task.index), or_dash(task.allocation.node.value),
               held_words(task.allocation), name(task.state), ended ? exit : "-", task.reason});
  }
  return table;
}

Table accepted_sheet(JobAccepted const& accepted, std::string const& job_name) {
  auto table = Table::sheet();
  std::vector<std::string> nodes;
  for (auto const& node : accepted.nodes) nodes.push_back(node.value);
  table.row({"ID", accepted.job.value})
      .row({"NAME", job_name})
      .row({"STATUS", name(accepted.state)})
      .row({"NODES", or_dash(text::join(nodes, ", "))});
  if (!accepted.why.empty()) table.row({"REASON", accepted.why});
  return table;
}

Table plan_sheet(PlanView const& plan) {
  auto table = Table::sheet();
  for (auto const& change : plan.changes) table.row({"+", change});
  for (std::size_t i = 0; i < plan.allocations.size(); ++i)
    table.row({fmt::format("task {}", i),
               plan.allocations[i].node.value + ": " + held_words(plan.allocations[i])});
  if (!plan.why.empty()) table.row({"why", plan.why});
  return table;
}

std::string ending_words(JobView const& job) {
  return name(job.state) + (job.why.empty() ? "" : ": " + job.why);
}

}  // namespace lepton::cli
