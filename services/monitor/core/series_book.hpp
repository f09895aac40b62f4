#pragma once
// All series of all nodes: recent samples in memory, and rollups of each minute and hour on their
// way to rows. A minute is told once, when it is over; an hour every ten minutes so far and once at
// its end, so that a restart loses little of it. A series that falls silent gives its samples back
// and leaves when its hour is over.
//
// Pure, owned by the monitor's actor, one thread. Recent samples go by TimeMs (monotonic), rollups
// by WallMs. Limits: series in all and per node, rollups that wait; what finds no room is counted.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "common/base/recent.hpp"
#include "schemas/monitor.hpp"

namespace lepton::monitor {

// Samples of a span of time, summed up.
struct Tally {
  WallMs at_ms = 0;
  std::uint32_t samples = 0;
  double sum = 0, low = 0, high = 0;

  void add(double value);
  void add(Tally const& other);
  Rollup rollup() const;
  static Tally of(Rollup const& rollup);
};

struct DueRollup {
  std::string node;
  Series series = Series::unknown;
  std::string part;
  RollupSpan span = RollupSpan::unknown;
  Rollup rollup;
};

struct SeriesLimits {
  std::size_t series_max = 100'000;
  std::size_t series_per_node_max = 2'000;
  std::size_t part_bytes_max = 200;
  std::size_t due_max = 400'000;
  std::size_t samples_kept = Recent::default_capacity;
  TimeMs idle_ms = 300'000;
};

class SeriesBook {
 public:
  explicit SeriesBook(SeriesLimits limits = {}) : limits_(limits) {}

  // False, and nothing kept: a value that is no number, an older time, no room.
  bool add(std::string const& node, Measure const& measure, TimeMs at_ms, WallMs wall_ms);
  // The hour so far, as the rows know it; before the first sample of that series.
  void resume(DueRollup const& hour);
  // What is due for rows, at most `max`; looks at no more than `looks_max` series.
  std::vector<DueRollup> collect(TimeMs now_ms, WallMs wall_ms, std::size_t max);

  std::vector<Measure> newest(std::string const& node, TimeMs now_ms, TimeMs age_max_ms) const;
  std::optional<double> value(std::string const& node, Series series, std::string const& part,
                              TimeMs now_ms, TimeMs age_max_ms) const;
  // Calls f(part, mean or nothing) for each part of the node that has this series.
  template <class F>
  void each_mean(std::string const& node, Series series, TimeMs now_ms, TimeMs length_ms,
                 F f) const {
    auto const found = nodes_.find(node);
    if (found == nodes_.end()) return;
    auto const& entries = found->second;
    for (auto i = entries.lower_bound({series, ""}); i != entries.end() && i->first.first == series;
         ++i)
      f(i->first.second, i->second.recent.mean(now_ms, length_ms));
  }

  std::size_t size() const { return size_; }
  std::uint64_t refused() const { return refused_; }
  static constexpr std::size_t looks_max = 20'000;

 private:
  using Key = std::pair<Series, std::string>;
  struct Entry {
    Recent recent;
    TimeMs newest_ms = 0;
    Tally minute, hour;
    bool hour_changed = false;  // since it was told
  };
  using Entries = std::map<Key, Entry>;

  Entry* find_or_make(std::string const& node, Key const& key);
  void close_minute(std::string const& node, Key const& key, Entry& entry);
  void tell_hour(std::string const& node, Key const& key, Entry& entry);
  void tell(std::string const& node, Key const& key, RollupSpan span, Tally const& tally);
  // True when the entry may go.
  bool settle(std::string const& node, Key const& key, Entry& entry, TimeMs now_ms, WallMs wall_ms);
  void look(TimeMs now_ms, WallMs wall_ms);

  SeriesLimits limits_;
  std::map<std::string, Entries> nodes_;
  std::size_t size_ = 0;
  std::uint64_t refused_ = 0;
  std::deque<DueRollup> due_;
  std::string next_;  // node with which the next look begins
};

}  // namespace lepton::monitor
