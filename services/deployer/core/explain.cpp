#include "services/deployer/core/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "common/base/text.hpp"
#include "services/deployer/core/islands.hpp"

namespace lepton::deployer {

namespace {

constexpr std::size_t state_rule = 1, taint_rule = 2, region_rule = 3, label_rule = 4,
                      limits_rule = 5, data_rule = 6, exposure_rule = 7, price_rule = 8,
                      spot_rule = 9, mig_rule = 10, model_rule = 11;
static_assert(std::is_same_v<std::tuple_element_t<state_rule, HardRules>, rule::State>);
static_assert(std::is_same_v<std::tuple_element_t<taint_rule, HardRules>, rule::Untainted>);
static_assert(std::is_same_v<std::tuple_element_t<region_rule, HardRules>, rule::Region>);
static_assert(std::is_same_v<std::tuple_element_t<label_rule, HardRules>, rule::LabelsPass>);
static_assert(std::is_same_v<std::tuple_element_t<limits_rule, HardRules>, rule::Limits>);
static_assert(std::is_same_v<std::tuple_element_t<data_rule, HardRules>, rule::Data>);
static_assert(std::is_same_v<std::tuple_element_t<exposure_rule, HardRules>, rule::Exposure>);
static_assert(std::is_same_v<std::tuple_element_t<price_rule, HardRules>, rule::Price>);
static_assert(std::is_same_v<std::tuple_element_t<spot_rule, HardRules>, rule::Spot>);
static_assert(std::is_same_v<std::tuple_element_t<mig_rule, HardRules>, rule::Mig>);
static_assert(std::is_same_v<std::tuple_element_t<model_rule, HardRules>, rule::GpuModel>);

std::string nodes_text(std::uint64_t n) {
  return fmt::format("{} node{}", n, n == 1 ? "" : "s");
}

// How far a node is from taking the ask: for each rule the missing part of what is wanted.
double distance(View const& v, Ask const& ask) {
  double sum = 0;
  for (auto const& r : rules()) {
    auto const wants = r.wants(ask), has = wants > 0 ? r.has(v, ask) : 0;
    if (has < wants) sum += static_cast<double>(wants - has) / static_cast<double>(wants);
  }
  return sum;
}

std::string models_of(Cluster const& cluster, Room const& room) {
  std::vector<std::string> names;
  for (auto const& g : room.groups()) names.push_back(cluster.models()[g.model]);
  return names.empty() ? "no GPU" : text::join(names, " and ");
}

std::string most_paid(Ask const& ask) {
  return price_in_words(ask.request.where.max_price_per_hour_micro);
}

std::string wanted_node(Ask const& ask) {
  return ask.request.where.spot == SpotUse::only ? "is a spot node" : "is an on-demand node";
}

std::string profile_of(Ask const& ask) {
  auto const& profile = ask.request.mig_profile;
  return profile.empty() ? "whole GPUs" : "MIG instances of " + profile;
}

std::string taints_of(View const& v, Ask const& ask) {
  std::vector<std::string> names;
  for (auto const& t : v.spec.taints)
    if (!t.soft && !tolerates(ask.request.where, t)) names.push_back(text_of(t));
  return text::join(names, " and ");
}

std::string region_of(View const& v) {
  auto const found = v.spec.labels.find(std::string(region_label));
  return found == v.spec.labels.end() ? "no region" : "region " + found->second;
}

std::string requirements_missed(View const& v, Ask const& ask) {
  std::vector<std::string> rules;
  for (auto const& rule : ask.request.where.requirements)
    if (!passes(rule, v.spec.labels)) rules.push_back(text_of(rule));
  return text::join(rules, " and ");
}

// What a rule that is not about an amount says of the node; nothing for the others.
std::optional<std::string> fault(Cluster const& cluster, View const& v, Ask const& ask,
                                 std::size_t rule) {
  if (rule == state_rule) return fmt::format("is {}", schema::name_of(v.state));
  if (rule == taint_rule) return "is tainted " + taints_of(v, ask);
  if (rule == region_rule)
    return fmt::format("has {}, not {}", region_of(v),
                       text::join(ask.request.where.regions, " or "));
  if (rule == label_rule) return "does not pass " + requirements_missed(v, ask);
  auto const& where = ask.request.where;
  if (rule == limits_rule) return limits_in_words(where, v.spec.labels);
  if (rule == data_rule)
    return transfer_in_words(where.data, v.spec.labels, v.spec.capacity.bandwidth_mbit);
  if (rule == exposure_rule) return exposure_in_words(where.exposure, v.spec.labels);
  if (rule == price_rule)
    return fmt::format("costs {} an hour, more than {}",
                       price_in_words(v.spec.capacity.price_per_hour_micro), most_paid(ask));
  if (rule == spot_rule) return v.spec.capacity.spot ? "is a spot node" : "is an on-demand node";
  if (rule == mig_rule)
    return fmt::format("has {}, not {}", models_of(cluster, v.room), profile_of(ask));
  if (rule == model_rule)
    return fmt::format("has {}, not {}", models_of(cluster, v.room),
                       text::join(ask.request.gpu_models, " or "));
  return std::nullopt;
}

// "lacks 512 MiB of memory" for each rule that rejects.
std::string lacks(Cluster const& cluster, View const& v, Ask const& ask) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < rule_count; ++i) {
    auto const& r = rules()[i];
    auto const wants = r.wants(ask), has = wants > 0 ? r.has(v, ask) : 0;
    if (has >= wants) continue;
    auto const named = fault(cluster, v, ask, i);
    parts.push_back(named ? *named : fmt::format("lacks {} {}", wants - has, r.unit));
    // Without the kind of GPU, memory and number of GPUs say nothing.
    if (i == mig_rule || i == model_rule) break;
  }
  return text::join(parts, " and ");
}

std::vector<Lack> lacks_of(View const& v, Ask const& ask) {
  std::vector<Lack> lacks;
  for (auto const& r : rules()) {
    auto const wants = r.wants(ask), has = wants > 0 ? r.has(v, ask) : 0;
    if (has < wants) lacks.push_back({r.name, wants, has, r.unit});
  }
  return lacks;
}

struct Nearest {
  Node const* node = nullptr;
  double distance = 0;
};

void consider(Nearest& best, Node const& node, double d) {
  if (!best.node || d < best.distance || (d == best.distance && node.tie < best.node->tie))
    best = {&node, d};
}

std::string no_nodes(Cluster const& cluster, PoolId const& pool) {
  std::vector<std::string> others;
  for (auto const& p : cluster.pools()) others.push_back(p.value);
  if (others.size() > 10) others.resize(10);
  auto const tail = others.empty() ? std::string("no pool has any yet")
                                   : "pools with nodes: " + text::join(others, ", ");
  return fmt::format("pool '{}' has no nodes ({}); add one with `lepton node join`", pool.value,
                     tail);
}

std::string reach_wanted(Constraints const& where, std::size_t rule) {
  if (rule == data_rule) return "has " + where.data.name + ", or can fetch it in time";
  if (rule == exposure_rule) return "is exposed so little";
  return "is within " + limits_text(where);
}

// All nodes of the pool fail one rule that is not about an amount.
std::string no_such_node(Ask const& ask, std::size_t rule) {
  auto const& where = ask.request.where;
  std::vector<std::string> rules;
  for (auto const& r : where.requirements) rules.push_back(text_of(r));
  auto const says =
      rule == taint_rule    ? std::string("is without a taint that the job does not tolerate")
      : rule == region_rule ? "is in region " + text::join(where.regions, " or ")
      : rule == label_rule  ? "passes " + text::join(rules, " and ")
      : rule == price_rule  ? "costs at most " + most_paid(ask) + " an hour"
      : rule == spot_rule   ? wanted_node(ask)
      : rule == mig_rule    ? "has " + profile_of(ask)
      : rule == model_rule  ? "has GPU model " + text::join(ask.request.gpu_models, " or ")
                            : reach_wanted(where, rule);
  return fmt::format("no node of pool '{}' {}", ask.pool.value, says);
}

// The sentence for a request that is larger than every node: what the largest one has.
std::optional<std::string> beyond_largest(Cluster const& cluster, Ask const& ask) {
  for (std::size_t i = taint_rule; i < rule_count; ++i) {
    auto const& r = rules()[i];
    auto const wants = r.wants(ask);
    std::int64_t most = -1;
    Node const* largest = nullptr;
    for (auto slot : cluster.pool(ask.pool)) {
      auto const& node = cluster.at(slot);
      if (auto const has = r.has(empty(node), ask); has > most) most = has, largest = &node;
    }
    if (!largest || most >= wants) continue;
    if (i <= model_rule) return no_such_node(ask, i);
    return fmt::format(
        "no node of pool '{}' is large enough: {} {} wanted, the largest ({}) has {}",
        ask.pool.value, wants, r.unit, largest->spec.id.value, most);
  }
  return std::nullopt;
}

std::string never_text(Cluster const& cluster, Ask const& ask, std::uint64_t possible,
                       std::uint32_t tasks) {
  if (possible > 0)
    return fmt::format(
        "the gang is larger than pool '{}': {} tasks wanted, {} would fit if all was empty",
        ask.pool.value, tasks, possible);
  if (auto beyond = beyond_largest(cluster, ask)) return *beyond;
  Nearest best;
  for (auto slot : cluster.pool(ask.pool))
    consider(best, cluster.at(slot), distance(empty(cluster.at(slot)), ask));
  return fmt::format("no node of pool '{}' has all of it, even when empty; nearest: node {} {}",
                     ask.pool.value, best.node->spec.id.value,
                     lacks(cluster, empty(*best.node), ask));
}

std::string counts_text(std::vector<Rejection> rejected) {
  std::stable_sort(rejected.begin(), rejected.end(),
                   [](Rejection const& a, Rejection const& b) { return a.nodes > b.nodes; });
  std::vector<std::string> parts;
  for (auto const& x : rejected) {
    auto const r = std::find_if(rules().begin(), rules().end(),
                                [&](RuleInfo const& info) { return info.name == x.rule; });
    parts.push_back(parts.empty() ? fmt::format("{} on {}", r->phrase, nodes_text(x.nodes))
                                  : fmt::format("{} on {}", r->phrase, x.nodes));
  }
  return text::join(parts, ", ");
}

// Nodes times members is bounded, so the sum is too.
std::uint64_t possible_members(Cluster const& cluster, Ask const& ask) {
  std::uint64_t n = 0;
  for (auto slot : cluster.pool(ask.pool)) n += members_in(empty(cluster.at(slot)), ask);
  return n;
}

}  // namespace

std::uint64_t members_in(View const& v, Ask const& ask) {
  if (!admits(v, ask)) return 0;
  auto const& r = ask.request;
  std::uint64_t n = 1024;
  auto const limit = [&](std::int64_t has, std::int64_t each) {
    if (each > 0) n = std::min(n, static_cast<std::uint64_t>(has / each));
  };
  limit(v.room.cpu_milli(), r.cpu_milli);
  limit(v.room.memory_mib(), r.memory_mib);
  limit(v.room.disk_mib(), r.disk_mib);
  limit(v.room.bandwidth_mbit(), r.bandwidth_mbit);
  limit(v.room.ports().free(), r.ports);
  if (r.gpus == 0) return n;
  std::uint64_t by_gpu = 0;
  if (ask.fraction()) {
    for (auto const& d : v.room.devices())
      if (ask.preference(d.model) != Ask::refused && d.memory_mib >= r.gpu_memory_mib)
        by_gpu += d.free_milli / r.gpu_milli;
  } else {
    for (auto const& g : v.room.groups())
      by_gpu += ask.together() && ask.preference(g.model) != Ask::refused
                    ? members_together(v.room, g.model, ask)
                    : room_in(v.room, g, ask).whole_free / r.gpus;
  }
  return std::min(n, by_gpu);
}

Misfit explain(Cluster const& cluster, Ask const& ask, std::vector<Room const*> const& rooms,
               std::uint32_t tasks, std::uint32_t fit_now) {
  Misfit m;
  m.tasks = tasks;
  m.fit_now = fit_now;
  auto const& slots = cluster.pool(ask.pool);
  LEPTON_CHECK(slots.size() == rooms.size(), "each node of the pool needs its room");
  m.pool_nodes = static_cast<std::uint32_t>(slots.size());
  if (slots.empty()) {
    m.what = no_nodes(cluster, ask.pool);
    return m;
  }
  std::array<std::uint32_t, rule_count + 1> counts{};
  Nearest best;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    auto const& node = cluster.at(slots[i]);
    auto const view = with_room(node, *rooms[i]);
    ++counts[first_rejection(view, ask)];
    consider(best, node, distance(view, ask));
  }
  LEPTON_CHECK(counts[rule_count] == 0, "a misfit is explained although a node admits it");
  for (std::size_t i = 0; i < rule_count; ++i)
    if (counts[i] > 0) m.rejected.push_back({rules()[i].name, counts[i]});
  m.nearest = best.node->spec.id;
  std::size_t at = 0;
  while (&cluster.at(slots[at]) != best.node) ++at;
  auto const nearest = with_room(*best.node, *rooms[at]);
  m.lacks = lacks_of(nearest, ask);
  auto const possible = possible_members(cluster, ask);
  m.never = possible < tasks;
  if (m.never) {
    m.what = never_text(cluster, ask, possible, tasks);
    return m;
  }
  auto const start = tasks > 1 ? fmt::format("{} of {} tasks fit, then no node: ", fit_now, tasks)
                               : std::string("no node fits: ");
  m.what = fmt::format("{}{}; nearest: node {} {}", start, counts_text(m.rejected), m.nearest.value,
                       lacks(cluster, nearest, ask));
  return m;
}

}  // namespace lepton::deployer
