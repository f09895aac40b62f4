#pragma once
// The body of a post to the webhook: a list of alerts as Alertmanager's API v2 takes them (POST
// /api/v2/alerts), which any receiver of JSON can read. Times are RFC 3339 in UTC. Source: the
// OpenAPI description of Alertmanager 0.25. Pure.

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "schemas/monitor_alert.hpp"

namespace lepton::monitor {

struct PostedAlert {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string starts_at;
  std::optional<std::string> ends_at;

  static consteval auto fields() {
    using schema::field;
    using P = PostedAlert;
    return schema::fields(
        field(1, "labels", &P::labels, "What the alert is: the same labels, the same alert."),
        field(2, "annotations", &P::annotations, "What people want to know of it."),
        field(3, "startsAt", &P::starts_at, "Bad since."),
        field(4, "endsAt", &P::ends_at, "Resolved at; null while it fires."));
  }
};
static_assert(schema::complete<PostedAlert>());

inline PostedAlert posted_alert(AlertChange const& a) {
  PostedAlert p;
  p.labels = {{"alertname", a.rule},
              {"node", a.node},
              {"severity", std::string(schema::name_of(a.severity))}};
  if (!a.part.empty()) p.labels["part"] = a.part;
  p.annotations = {{"summary", a.summary}, {"threshold", fmt::format("{:g}", a.threshold)}};
  if (a.value) p.annotations["value"] = fmt::format("{:g}", *a.value);
  p.starts_at = text::utc(a.since_ms);
  if (a.state == AlertState::resolved) p.ends_at = text::utc(a.at_ms);
  return p;
}

inline std::string alerts_json(std::vector<AlertChange> const& alerts) {
  std::vector<PostedAlert> all;
  for (auto const& alert : alerts) all.push_back(posted_alert(alert));
  return codec::to_json(all);
}

}  // namespace lepton::monitor
