#pragma once
// Threshold rules and the alerts that they raise. For each (rule, node, part):
//
//   quiet --crossed--> pending --crossed for pending_ms--> firing --good for resolve_ms--> resolved
//
// A pending alert that is good again is forgotten without a word. Silence of a series is no good
// value: a firing alert goes on firing until there are samples again, or what it is about is gone.
// Pure, one thread. Times: TimeMs for the rules, WallMs for people. Limits: rules, alerts.

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/monitor_alert.hpp"

namespace lepton::monitor {

Status check_rule(AlertRule const& rule);
// Of series that exporters show: whether the rule speaks of this one, by its name before labels.
bool is_about(AlertRule const& rule, std::string const& part);

struct Instant {
  TimeMs now_ms = 0;
  WallMs wall_ms = 0;
};

class AlertBook {
 public:
  static constexpr std::size_t alerts_max = 10'000;

  // What a rule sees of one part at this instant. A change that people should hear of: firing or
  // resolved.
  std::optional<AlertChange> see(AlertRule const& rule, std::string const& node,
                                 std::string const& part, std::optional<double> value, Instant at);
  // All alerts of a rule, or of a node, end: the changes of those that fired.
  std::vector<AlertChange> end_rule(std::string const& rule, Instant at);
  std::vector<AlertChange> end_node(std::string const& node, Instant at);
  // The part is gone, as a task that has ended.
  std::vector<AlertChange> end_part(std::string const& rule, std::string const& node,
                                    std::string const& part, Instant at);
  void restore(AlertChange const& firing, Instant at);

  std::vector<AlertChange> list(bool pending) const;
  // Parts for which the rule has an alert open on this node: they are looked at even without
  // samples.
  std::vector<std::string> parts(std::string const& rule, std::string const& node) const;
  std::uint32_t firing(std::string const& node) const;
  std::size_t size() const { return alerts_.size(); }
  std::uint64_t refused() const { return refused_; }  // found no room

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  struct Alert {
    AlertChange shown;
    TimeMs bad_since_ms = 0;
    std::optional<TimeMs> good_since_ms;
  };
  template <class Match>
  std::vector<AlertChange> end(Match match, Instant at);
  std::optional<AlertChange> begin(AlertRule const& rule, Key key, double value, Instant at);
  std::optional<AlertChange> fire(AlertRule const& rule, Alert& alert, Instant at);

  std::map<Key, Alert> alerts_;
  std::uint64_t refused_ = 0;
};

}  // namespace lepton::monitor
