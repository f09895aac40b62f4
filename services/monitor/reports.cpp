// What nodes report, who falls silent, and samples on their way to rows.

#include <fmt/format.h>

#include <algorithm>

#include "services/monitor/monitor.hpp"

namespace lepton::monitor {
namespace {

constexpr std::size_t samples_max = 30;
constexpr std::size_t values_max = 2'000;
constexpr std::size_t name_bytes_max = 63;
constexpr std::size_t boot_bytes_max = 64;
constexpr std::size_t detail_bytes_max = 500;

bool is_grave(NodeState state) {
  return state == NodeState::unreachable || state == NodeState::down;
}

}  // namespace

Status Monitor::check_report(NodeReport const& m) const {
  if (m.node.empty() || m.node.value.size() > name_bytes_max)
    return Error{Code::invalid, "node: a name has 1 to 63 bytes"};
  if (m.boot_id.empty() || m.boot_id.size() > boot_bytes_max)
    return Error{Code::invalid, "boot_id: 1 to 64 bytes"};
  if (m.detail.size() > detail_bytes_max) return Error{Code::invalid, "detail: at most 500 bytes"};
  std::size_t values = 0;
  for (auto const& sample : m.samples) values += sample.values.size();
  if (m.samples.size() > samples_max || values > values_max)
    return Error{Code::invalid,
                 fmt::format("samples: {} with {} values; at most {} with {} in one report",
                             m.samples.size(), values, samples_max, values_max)};
  if (!nodes_.contains(m.node.value) && nodes_.size() >= settings_.nodes_max)
    return Error{Code::exhausted, fmt::format("{} nodes report here already; those that are gone "
                                              "are forgotten a week after their last report",
                                              nodes_.size())};
  return ok();
}

Result<ReportTaken> Monitor::report(NodeReport const& m, Context& c) {
  if (auto good = check_report(m); !good) return good.error();
  auto found = nodes_.find(m.node.value);
  if (found == nodes_.end()) {
    Node fresh{{m.node.value, "", {}}, Liveness(settings_.liveness, c.now()), {}, 0, ""};
    found = nodes_.emplace(m.node.value, std::move(fresh)).first;
  }
  auto& node = found->second;
  node.heard_wall = c.wall();
  node.dropped = m.dropped;
  node.detail = m.detail;
  node.row.boot_id = m.boot_id;
  for (auto const& t : node.life.heard(m.boot_id, m.draining, c.now())) note(node, t, c);
  keep_samples(m, c);
  ++reports_;
  return ReportTaken{node.life.state()};
}

void Monitor::keep_samples(NodeReport const& m, Context& c) {
  for (auto const& sample : m.samples) {
    ++samples_;
    for (auto const& measure : sample.values)
      if (measure.series != Series::silence_s)
        book_.add(m.node.value, measure, c.now() - sample.age_ms, c.wall() - sample.age_ms);
  }
}

// Numbers also rise across a node that was forgotten and comes back: they begin with the time.
void Monitor::note(Node& node, Transition const& t, Context& c) {
  auto& last = node.row.last;
  auto const number = std::max(last.number + 1, static_cast<std::uint64_t>(c.wall()));
  last = {node.row.node, number, c.wall(), t.before, t.state, t.reason};
  ++changes_;
  c.append(last);
  c.upsert(node.row);
  c.emit(nodes_stream, NodeStateChanged{last});
  if (!is_grave(t.state)) return;
  AuditEvent event;
  event.actor = "monitor";
  event.action = NodeStateChanged::topic;
  event.resource = "node/" + node.row.node;
  event.outcome = AuditOutcome::done;
  event.detail = {{"from", std::string(schema::name_of(t.before))},
                  {"state", std::string(schema::name_of(t.state))},
                  {"why", t.reason}};
  c.audit(std::move(event));
}

void Monitor::look(Context& c) {
  // Looks come late when this process, not the nodes, was held up.
  auto const late = c.now() - looked_at_ - settings_.look_every_ms;
  looked_at_ = c.now();
  for (auto& [name, node] : nodes_) {
    if (late > 2 * settings_.look_every_ms) node.life.excuse(late);
    if (auto const t = node.life.look(c.now())) note(node, *t, c);
  }
  c.after(settings_.look_every_ms, [this](Context& later) { look(later); });
}

void Monitor::forget(Context& c) {
  for (auto i = nodes_.begin(); i != nodes_.end();) {
    auto& node = i->second;
    auto const old = node.row.last.at_ms + settings_.forget_after_ms <= c.wall();
    if (node.life.state() != NodeState::unreachable || !old) {
      ++i;
      continue;
    }
    note(node, {NodeState::unreachable, NodeState::down, "silent for a week; forgotten"}, c);
    c.erase(node.row);
    tell_all(alerts_.end_node(i->first, {c.now(), c.wall()}), c);
    i = nodes_.erase(i);
  }
}

void Monitor::collect(Context& c) {
  auto const due = book_.collect(c.now(), c.wall(), settings_.rollups_max);
  for (auto const& d : due) {
    auto const& r = d.rollup;
    if (d.span == RollupSpan::minute)
      c.upsert(MinuteRow{d.node, d.series, d.part, r.at_ms, r.samples, r.mean, r.low, r.high});
    else
      c.upsert(HourRow{d.node, d.series, d.part, r.at_ms, r.samples, r.mean, r.low, r.high});
  }
  auto const more = due.size() == settings_.rollups_max;
  c.after(more ? 0 : settings_.collect_every_ms, [this](Context& later) { collect(later); });
}

}  // namespace lepton::monitor
