#pragma once
// A question of the suite's own services to the monitor: what do these series measure now? For
// decisions that follow use, such as how many replicas a service needs. Owned by the monitor.

#include <optional>
#include <vector>

#include "schemas/monitor.hpp"

namespace lepton {

struct SeriesKey {
  NodeId node;
  Series series = Series::unknown;
  std::string part;

  auto operator<=>(SeriesKey const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using K = SeriesKey;
    return schema::fields(field(1, "node", &K::node, "Name of the node."),
                          field(2, "series", &K::series, "What is measured."),
                          field(3, "part", &K::part, "Of what; empty: the node.").optional());
  }
};
static_assert(schema::complete<SeriesKey>());

struct SeriesValue {
  std::optional<double> value;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "value", &SeriesValue::value,
                                        "The newest; nothing when none is young enough.")
                              .optional());
  }
};
static_assert(schema::complete<SeriesValue>());

struct SeriesValues {
  std::vector<SeriesValue> values;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "values", &SeriesValues::values, "In the order of the question."));
  }
};
static_assert(schema::complete<SeriesValues>());

struct SeriesNewest {
  static constexpr std::string_view topic = "monitor.series.newest";
  static constexpr bool peer_only = true;
  static constexpr std::size_t keys_max = 2'000;
  using Reply = SeriesValues;
  std::vector<SeriesKey> keys;
  std::int64_t age_max_ms = 5'000;

  static consteval auto fields() {
    using schema::field;
    using T = SeriesNewest;
    return schema::fields(field(1, "keys", &T::keys, "At most 2,000."),
                          field(2, "age_max_ms", &T::age_max_ms, "Older samples do not count, ms.")
                              .bounds(1'000, 120'000)
                              .optional());
  }
};
static_assert(schema::complete<SeriesNewest>());

}  // namespace lepton
