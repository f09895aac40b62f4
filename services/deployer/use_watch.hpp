#pragma once
// UseWatch: asks the monitor what replicas use, about once a second, for services that are scaled
// by it. A part of the deployer's actor, on its thread. Nothing waits for the answer: while the
// monitor is away the figures grow old and are left out.

#include <map>
#include <optional>
#include <set>

#include "common/actor/context.hpp"
#include "schemas/series_newest.hpp"

namespace lepton::deployer {

class UseWatch {
 public:
  explicit UseWatch(TimeMs every_ms) : every_ms_(every_ms) {}

  // What is wanted from now on; asked about in slices of what one question holds.
  void ask(std::set<SeriesKey> const& wanted, actor::Context& c);
  // Nothing when it was never told, or too long ago.
  std::optional<double> value(SeriesKey const& key, TimeMs now) const;

 private:
  struct Told {
    double value = 0;
    TimeMs at = 0;
  };
  void take(std::vector<SeriesKey> const& keys, Result<SeriesValues> const& got, actor::Context& c);

  TimeMs every_ms_;
  TimeMs ask_at_ = 0;
  bool asking_ = false;
  std::optional<SeriesKey> next_;  // the next slice begins behind it
  std::map<SeriesKey, Told> told_;
};

}  // namespace lepton::deployer
