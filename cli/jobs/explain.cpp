#include "cli/jobs/explain.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/jobs/decision_commands.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"

namespace lepton::cli {
namespace {

std::string start_words(JobExplanation const& e, std::int64_t now_ms) {
  auto const at = time_words(e.starts_by_ms) + ", in " +
                  duration_words(std::max<std::int64_t>(0, e.starts_by_ms - now_ms));
  auto const then = e.starts_after.empty() ? "" : ", when job " + e.starts_after.value + " ends";
  return e.reserved ? "at the latest " + at + then
                    : "room " + at + then + ", if nothing goes before it";
}

Result<int> explain(Shell& shell, std::string const& job) {
  auto const e = ask(shell, Service::deployer, JobExplain{JobId{job}});
  if (!e) return e.error();
  emit(shell, *e, explanation_sheet(*e, SystemClock().wall_ms()));
  if (shell.format != Format::table) return 0;
  for (auto const& table : {rejection_table(*e), choice_table(e->choices)})
    if (!table.is_empty()) shell.print("\n" + table.text(shell.colour));
  return 0;
}

}  // namespace

Table explanation_sheet(JobExplanation const& e, std::int64_t now_ms) {
  auto table = Table::sheet();
  table.row({"ID", e.job.value}).row({"STATUS", std::string(schema::name_of(e.state))});
  if (!e.what.empty()) table.row({"REASON", e.what});
  if (!e.nearest_miss.empty()) table.row({"NEAREST", e.nearest_miss});
  if (e.starts_by_ms > 0) table.row({"STARTS", start_words(e, now_ms)});
  if (e.state == JobState::queued) table.row({"AHEAD", fmt::format("{} jobs", e.ahead)});
  if (e.tasks > 1 && e.state == JobState::queued)
    table.row({"TASKS", fmt::format("{} of {} would fit now", e.fit_now, e.tasks)});
  return table.row({"POLICY", e.policy});
}

Table rejection_table(JobExplanation const& e) {
  Table table({"RULE", "REJECTS", "WHY"});
  for (auto const& r : e.rejected)
    table.row({r.rule, fmt::format("{} of {}", r.nodes, e.pool_nodes), r.phrase});
  return table;
}

std::string cost_words(std::vector<ScoreTerm> const& terms) {
  std::string words;
  for (auto const& t : terms)
    words += fmt::format("{}{} {:.4g}", words.empty() ? "" : ", ", t.name, t.value);
  return words;
}

Table choice_table(std::vector<NodeChoice> const& choices) {
  Table table({"RANK", "NODE", "HERE", "MODEL", "WISHES", "COST"});
  for (auto const& c : choices) {
    table.row({std::to_string(c.rank), c.node.value, c.chosen ? "yes" : "-",
               std::to_string(c.gpu_preference), std::to_string(c.wishes_missed),
               cost_words(c.terms)});
  }
  return table;
}

Command explain_command() {
  struct Options {
    std::string job;
    bool replay = false;
  };
  auto const o = std::make_shared<Options>();
  Command c{"job explain",
            "Says why a job waits and what would help, or why its machine was chosen",
            "lepton job explain digits\nlepton job explain digits --replay"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", &o->job)
      .flag("--replay", "Makes the newest decision about it again, from the state as it was then",
            &o->replay);
  c.run = [o](Shell& shell) {
    return o->replay ? replay_job(shell, o->job) : explain(shell, o->job);
  };
  return c;
}

}  // namespace lepton::cli
