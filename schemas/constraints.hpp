#pragma once
// Where work may and should go: labels and taints of nodes, and what a job says about them. A label
// is KEY=VALUE, known of a node; a taint keeps work away that does not tolerate it.
// Grammar: key = 1*63( ALPHA / DIGIT / "." / "_" / "/" / "-" ), value = 0*63( ALPHA / DIGIT / "."
// / "_" / "-" ). Pure; any thread.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/schema/schema.hpp"

namespace lepton {

inline constexpr std::size_t label_size_max = 63;
inline constexpr std::size_t labels_max = 64;       // of a node, and taints of a node
inline constexpr std::size_t label_rules_max = 16;  // of each kind in a job
inline constexpr std::size_t preferences_max = 8;
inline constexpr std::int64_t price_micro_max = 1'000'000'000'000;  // a million an hour
inline constexpr std::string_view region_label = "region";
inline constexpr std::string_view data_label = "data/";             // data/NAME: the node has it
inline constexpr std::string_view exposure_label = "exposure/";     // exposure/WAY=0.4
inline constexpr std::string_view containers_label = "containers";  // the node's engine

inline bool is_label_value(std::string_view s) {
  return s.size() <= label_size_max && std::all_of(s.begin(), s.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}
inline bool is_label_key(std::string_view s) {
  std::string plain(s);
  std::replace(plain.begin(), plain.end(), '/', '-');
  return !s.empty() && is_label_value(plain);
}

// A number as a label may be one, in thousandths: 1*9DIGIT [ "." 1*3DIGIT ]; nothing else is.
inline std::optional<std::int64_t> milli_of(std::string_view s) {
  auto const digits = [](std::string_view part, std::size_t most) {
    return !part.empty() && part.size() <= most &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  auto const point = std::min(s.find('.'), s.size());
  auto const after = s.substr(std::min(point + 1, s.size()));
  if (!digits(s.substr(0, point), 9) || (point < s.size() && !digits(after, 3))) return {};
  std::int64_t milli = 0;
  for (auto const c : s.substr(0, point)) milli = 10 * milli + (c - '0');
  for (std::size_t i = 0; i < 3; ++i) milli = 10 * milli + (i < after.size() ? after[i] - '0' : 0);
  return milli;
}

// A test of one label. Without values: that the key is there; negated: that it is not. With values:
// that it has one of them; negated: that it has none of them, or the key is not there.
struct LabelRule {
  std::string key;
  std::vector<std::string> values;
  bool negated = false;

  auto operator<=>(LabelRule const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = LabelRule;
    return schema::fields(field(1, "key", &R::key, "Key of the label."),
                          field(2, "values", &R::values, "One of these; empty: any value."),
                          field(3, "negated", &R::negated, "The node must not be so.").optional());
  }
};
static_assert(schema::complete<LabelRule>());

struct Taint {
  std::string key;
  std::string value;
  bool soft = false;

  auto operator<=>(Taint const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = Taint;
    return schema::fields(
        field(1, "key", &T::key, "Key; a node has at most one taint of a key."),
        field(2, "value", &T::value, "Value; may be empty.").optional(),
        field(3, "soft", &T::soft, "The node is avoided where another fits; false: never taken.")
            .optional());
  }
};
static_assert(schema::complete<Taint>());

enum class TopologyMode : std::uint8_t {
  unknown,
  none,
  pack,   // all tasks of the gang in one domain
  spread  // each next task where the fewest of the gang are
};
consteval auto enumerators(TopologyMode) {
  return std::to_array<std::string_view>({"unknown", "none", "pack", "spread"});
}

// Whether a job goes to nodes that their owner may take away at short notice.
enum class SpotUse : std::uint8_t { unknown, never, allowed, preferred, only };
consteval auto enumerators(SpotUse) {
  return std::to_array<std::string_view>({"unknown", "never", "allowed", "preferred", "only"});
}

// The number in a label is at most that; a node whose label is no number does not pass.
struct LabelLimit {
  std::string key;
  std::int64_t most_milli = 0;

  auto operator<=>(LabelLimit const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using L = LabelLimit;
    return schema::fields(
        field(1, "key", &L::key, "Key of the label."),
        field(2, "most_milli", &L::most_milli, "Its number is at most so many thousandths."));
  }
};
static_assert(schema::complete<LabelLimit>());

// Data that the work reads. A node with the label data/NAME has it; another one must fetch it.
struct DataNeed {
  std::string name;
  std::int64_t size_mib = 0;
  std::int64_t within_ms = 0;

  auto operator<=>(DataNeed const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using D = DataNeed;
    return schema::fields(
        field(1, "name", &D::name, "Name, as in the label; empty: none."),
        field(2, "size_mib", &D::size_mib, "Its size, MiB."),
        field(3, "within_ms", &D::within_ms, "Fetching takes at most so long, ms; 0: any time."));
  }
};
static_assert(schema::complete<DataNeed>());

// One way in which data on a node could be seen by others, and how much that matters.
struct ExposureWeight {
  std::string way;
  std::int64_t weight_milli = 0;

  auto operator<=>(ExposureWeight const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using W = ExposureWeight;
    return schema::fields(field(1, "way", &W::way, "As in the label exposure/WAY."),
                          field(2, "weight_milli", &W::weight_milli, "Its weight, thousandths."));
  }
};
static_assert(schema::complete<ExposureWeight>());

// The sum over all ways of weight x probability is at most that.
struct ExposureLimit {
  std::vector<ExposureWeight> weights;
  std::int64_t most_milli = 0;

  auto operator<=>(ExposureLimit const&) const = default;
  bool operator==(ExposureLimit const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using E = ExposureLimit;
    return schema::fields(
        field(1, "weights", &E::weights, "Of each way; empty: nothing is limited."),
        field(2, "most_milli", &E::most_milli, "The sum is at most so many thousandths."));
  }
};
static_assert(schema::complete<ExposureLimit>());

// What it is worth to a job how a site performs, how seldom it is away, and what it costs: a task
// goes where the weighted loss is least.
struct SiteWeights {
  std::int64_t performance_milli = 0;
  std::int64_t availability_milli = 0;
  std::int64_t cost_milli = 0;

  auto operator<=>(SiteWeights const&) const = default;
  bool any() const { return performance_milli > 0 || availability_milli > 0 || cost_milli > 0; }
  static consteval auto fields() {
    using schema::field;
    using S = SiteWeights;
    return schema::fields(
        field(1, "performance_milli", &S::performance_milli, "Of 1 - label performance."),
        field(2, "availability_milli", &S::availability_milli, "Of 1 - label availability."),
        field(3, "cost_milli", &S::cost_milli, "Of what an hour of the node costs."));
  }
};
static_assert(schema::complete<SiteWeights>());

// What a job says about nodes beside amounts.
struct Constraints {
  std::vector<LabelRule> requirements;
  std::vector<LabelRule> preferences;
  std::vector<LabelRule> tolerations;
  std::vector<std::string> regions;
  TopologyMode topology = TopologyMode::none;
  std::string topology_label;
  bool one_island = false;
  std::int64_t max_price_per_hour_micro = 0;
  bool cheapest = false;
  SpotUse spot = SpotUse::allowed;
  bool one_numa = false;
  std::vector<LabelLimit> limits;
  DataNeed data;
  ExposureLimit exposure;
  SiteWeights site;

  auto operator<=>(Constraints const&) const = default;
  bool operator==(Constraints const&) const = default;
  // Whether labels of nodes matter.
  bool reads_labels() const {
    return !requirements.empty() || !preferences.empty() || !regions.empty() || !limits.empty() ||
           !data.name.empty() || !exposure.weights.empty() || site.any();
  }
  // Whether it matters what a node costs and whose it is.
  bool reads_prices() const {
    return max_price_per_hour_micro > 0 || cheapest || spot != SpotUse::allowed ||
           site.cost_milli > 0;
  }
  static consteval auto fields() {
    using schema::field;
    using C = Constraints;
    return schema::fields(
        field(1, "requirements", &C::requirements, "A node must pass all of these."),
        field(2, "preferences", &C::preferences,
              "A node should pass these; an earlier one outweighs all later ones."),
        field(3, "tolerations", &C::tolerations, "Taints that do not keep it away."),
        field(4, "regions", &C::regions, "Allowed regions (label `region`); empty: any."),
        field(5, "topology", &C::topology, "How a gang lies over the domains of a label."),
        field(6, "topology_label", &C::topology_label, "Whose values are the domains: rack."),
        field(7, "one_island", &C::one_island,
              "All GPUs of a task are of one island: devices with a fast link."),
        field(
            8, "max_price_per_hour_micro", &C::max_price_per_hour_micro,
            "An hour of the node costs at most so many millionths of the site's currency; 0: any.")
            .bounds(0, static_cast<double>(price_micro_max))
            .since(4),
        field(9, "cheapest", &C::cheapest, "A cheaper node is better than all else but wishes.")
            .since(4),
        field(10, "spot", &C::spot, "Whether it goes to spot nodes.").since(4),
        field(11, "one_numa", &C::one_numa,
              "All GPUs of a task are of one NUMA node, and so are its CPUs where the node can.")
            .since(4),
        field(150, "limits", &C::limits, "Numbers in labels that must not be higher.").since(5),
        field(151, "data", &C::data, "Data that it reads, and how long fetching may take.")
            .since(5),
        field(152, "exposure", &C::exposure, "How exposed the node may be.").since(5),
        field(153, "site", &C::site, "Weights by which sites are compared.").since(5));
  }
};
static_assert(schema::complete<Constraints>());

}  // namespace lepton
