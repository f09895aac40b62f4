#include "services/monitor/core/liveness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace lepton::monitor {
namespace {

constexpr std::size_t relapses_kept = 16;

std::string seconds(TimeMs ms) {
  return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

}  // namespace

Liveness::Liveness(LivenessRules const& rules, TimeMs now_ms)
    : Liveness(rules, NodeState::unknown, "", now_ms - rules.restart_grace_ms) {}

Liveness::Liveness(LivenessRules const& rules, NodeState state, std::string boot_id, TimeMs now_ms)
    : rules_(rules),
      beats_(rules.usual_ms, rules.deviation_min_ms),
      state_(state),
      boot_id_(std::move(boot_id)),
      heard_at_(now_ms + rules.restart_grace_ms),
      steady_since_(now_ms) {}

std::size_t Liveness::relapses(TimeMs now_ms) const {
  return static_cast<std::size_t>(std::count_if(relapses_.begin(), relapses_.end(), [&](TimeMs at) {
    return at > now_ms - rules_.flap_window_ms;
  }));
}

bool Liveness::is_flapping(TimeMs now_ms) const {
  return relapses(now_ms) > rules_.flaps_max;
}

TimeMs Liveness::steady_needed_ms(TimeMs now_ms) const {
  if (!is_flapping(now_ms)) return 0;
  auto needed = rules_.steady_ms;
  for (auto n = relapses(now_ms); n > rules_.flaps_max + 1 && needed < rules_.steady_max_ms; --n)
    needed *= 2;
  return std::min(needed, rules_.steady_max_ms);
}

bool Liveness::is_quiet(TimeMs now_ms) const {
  auto const silence = silence_ms(now_ms);
  return silence >= rules_.suspect_at_most_ms || phi(now_ms) >= rules_.suspect_phi;
}

void Liveness::note_relapse(TimeMs now_ms) {
  quiet_since_ = now_ms;
  relapses_.push_back(now_ms);
  if (relapses_.size() > relapses_kept) relapses_.erase(relapses_.begin());
}

Transition Liveness::move(NodeState to, std::string reason) {
  return {std::exchange(state_, to), to, std::move(reason)};
}

std::vector<Transition> Liveness::heard(std::string const& boot_id, bool draining, TimeMs now_ms) {
  std::vector<Transition> out;
  auto const rebooted = !boot_id_.empty() && boot_id_ != boot_id && !planted("reboot_unnoticed");
  if (rebooted)
    out.push_back(move(NodeState::down, "it has booted anew: what ran there before is over"));
  boot_id_ = boot_id;
  if (quiet_since_ || rebooted) {
    beats_.forget_interval();
    steady_since_ = now_ms;
    quiet_since_.reset();
  }
  beats_.beat(now_ms);
  heard_at_ = now_ms;
  if (auto t = welcome(draining ? NodeState::draining : NodeState::ready, now_ms))
    out.push_back(*t);
  return out;
}

// What a node that was heard this moment becomes.
std::optional<Transition> Liveness::welcome(NodeState target, TimeMs now_ms) {
  if (state_ == target) return std::nullopt;
  auto const needed = steady_needed_ms(now_ms);
  if (now_ms - steady_since_ < needed) {
    if (state_ == NodeState::suspect) return std::nullopt;
    return move(NodeState::suspect,
                fmt::format("it fell silent {} times in {}; trusted after {} of steady reports",
                            relapses(now_ms), seconds(rules_.flap_window_ms), seconds(needed)));
  }
  auto const drains = target == NodeState::draining;
  return move(target, drains ? "heard; it takes no new work, as somebody asked" : "heard");
}

std::optional<Transition> Liveness::look(TimeMs now_ms) {
  if (state_ == NodeState::unreachable || state_ == NodeState::unknown || !is_quiet(now_ms))
    return std::nullopt;
  if (!quiet_since_) note_relapse(now_ms);
  auto const silence = silence_ms(now_ms);
  if (state_ != NodeState::suspect)
    return move(NodeState::suspect,
                fmt::format("silent for {}, phi {:.1f}", seconds(silence), phi(now_ms)));
  if (silence < rules_.unreachable_after_ms || now_ms - *quiet_since_ < rules_.confirm_ms)
    return std::nullopt;
  return move(NodeState::unreachable, fmt::format("silent for {}", seconds(silence)));
}

void Liveness::excuse(TimeMs stall_ms) {
  heard_at_ += stall_ms;
  steady_since_ += stall_ms;
  if (quiet_since_) *quiet_since_ += stall_ms;
  beats_.forget_interval();
}

}  // namespace lepton::monitor
