#include <fmt/format.h>

#include "cli/output/words.hpp"
#include "cli/services/service_commands.hpp"

namespace lepton::cli {
namespace {

std::string ready_words(ServiceLine const& line) {
  return fmt::format("{}/{}", line.ready, line.wanted);
}

std::string load_words(ServiceLine const& line) {
  return line.requests_per_s ? fmt::format("{:.1f}/s", *line.requests_per_s) : "";
}

std::string limit_words(ServiceSpec const& spec) {
  return spec.min == spec.max ? std::to_string(spec.min)
                              : fmt::format("{} to {}", spec.min, spec.max);
}

}  // namespace

Table service_table(ServicePage const& page) {
  Table table({"SERVICE", "STATE", "READY", "REVISION", "ADDRESS", "REQUESTS", "OWNER"});
  for (auto const& s : page.services)
    table.row({s.service, s.state, ready_words(s), std::to_string(s.revision), s.address,
               load_words(s), s.owner});
  return table;
}

Table service_sheet(ServiceView const& view) {
  auto sheet = Table::sheet();
  sheet.row({"SERVICE", view.line.service})
      .row({"STATE", view.line.state})
      .row({"READY", ready_words(view.line)})
      .row({"REPLICAS", limit_words(view.spec)})
      .row({"REVISION", std::to_string(view.line.revision)})
      .row({"ADDRESS", view.line.address})
      .row({"REQUESTS", load_words(view.line)})
      .row({"OWNER", view.line.owner});
  if (!view.why.empty()) sheet.row({"WHY", view.why});
  return sheet;
}

Table replica_table(ServiceView const& view, WallMs now_ms) {
  Table table({"REPLICA", "STATE", "REVISION", "NODE", "PORT", "PLACED", "JOB", "WHY"});
  for (auto const& r : view.replicas)
    table.row({std::to_string(r.number), std::string(schema::name_of(r.state)),
               std::to_string(r.revision), r.node.value, r.port == 0 ? "" : std::to_string(r.port),
               r.started_at_ms == 0 ? "" : ago(r.started_at_ms, now_ms), r.job.value, r.why});
  return table;
}

Table revision_table(RevisionPage const& page, WallMs now_ms) {
  Table table({"REVISION", "WHEN", "OWNER", "REPLICAS", "COMMAND", "NOTE"});
  for (auto const& r : page.revisions)
    table.row({std::to_string(r.revision), ago(r.applied_at_ms, now_ms), r.owner,
               limit_words(r.spec), r.spec.task.command.empty() ? "" : r.spec.task.command.front(),
               r.note});
  return table;
}

}  // namespace lepton::cli
