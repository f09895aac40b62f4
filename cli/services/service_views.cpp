#include <fmt/format.h>

#include "cli/output/words.hpp"
#include "cli/services/service_commands.hpp"

namespace lepton::cli {
namespace {

std::string target_words(ScaleSettings const& s) {
  return fmt::format("{} at {:g} {} per replica", s.policy, s.per_replica,
                     schema::name_of(s.signal));
}

std::string limit_words(ScaleLimits const& limits) {
  return fmt::format("{} to {}", limits.min, limits.max);
}

std::string heard_words(std::optional<WallMs> at_ms, WallMs now_ms) {
  return at_ms ? ago(*at_ms, now_ms) : "never";
}

}  // namespace

Table scaled_table(ScaledServicePage const& page, WallMs now_ms) {
  Table table({"SERVICE", "WANTED", "READY", "LIMITS", "POLICY", "HEARD"});
  for (auto const& s : page.services)
    table.row({s.service, std::to_string(s.wanted), std::to_string(s.ready),
               limit_words(s.settings.limits), target_words(s.settings),
               heard_words(s.reported_at_ms, now_ms)});
  return table;
}

Table explanation_sheet(ServiceExplanation const& told, WallMs now_ms) {
  auto sheet = Table::sheet();
  sheet.row({"SERVICE", told.service})
      .row({"POLICY", target_words(told.settings)})
      .row({"LIMITS", limit_words(told.settings.limits) + " replicas"})
      .row({"WANTED", std::to_string(told.wanted)})
      .row({"READY", std::to_string(told.ready)})
      .row({"HEARD", heard_words(told.reported_at_ms, now_ms)});
  if (told.newest) sheet.row({"WHY", told.newest->reason});
  return sheet;
}

Table change_table(ServiceExplanation const& told, WallMs now_ms) {
  Table table({"CHANGE", "WHEN", "FROM", "TO", "POLICY", "BOUND", "WHY"});
  for (auto const& d : told.changes)
    table.row({std::to_string(d.number), ago(d.at_ms, now_ms), std::to_string(d.before),
               std::to_string(d.wanted), d.policy, std::string(schema::name_of(d.bound)),
               d.reason});
  return table;
}

}  // namespace lepton::cli
