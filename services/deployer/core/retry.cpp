#include "services/deployer/core/retry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lepton::deployer {

namespace {

std::string ended(Ending const& e) {
  if (e.signal != 0) return fmt::format("ended by signal {}", e.signal);
  if (e.exit_code != 0) return fmt::format("exit code {}", e.exit_code);
  return e.reason.empty() ? "failed" : e.reason;
}

// Shells and people write a death by signal as 128 + signal; rules may name it so.
bool rule_names(RetryRule const& rule, Ending const& e) {
  auto const code = e.signal != 0 ? 128 + e.signal : e.exit_code;
  if (code != 0 &&
      std::find(rule.exit_codes.begin(), rule.exit_codes.end(), code) != rule.exit_codes.end())
    return true;
  return rule.on_error;
}

RetryVerdict after_error(RetryRule const& rule, Ending const& e, std::uint32_t failures,
                         WallMs now_ms) {
  if (!rule_names(rule, e)) return {false, 0, fmt::format("{}; no retry rule covers it", ended(e))};
  if (failures >= rule.max)
    return {false, 0, fmt::format("{}; all {} retries are used", ended(e), rule.max)};
  return {true, now_ms + backoff_ms(rule, failures),
          fmt::format("{}; retry {} of {}", ended(e), failures + 1, rule.max)};
}

RetryVerdict after_interruption(RetryRule const& rule, Ending const& e, std::uint32_t earlier,
                                WallMs now_ms) {
  auto const what = e.reason.empty() ? std::string("interrupted") : e.reason;
  if (!rule.on_interruption)
    return {false, 0, fmt::format("{}; retry.on_interruption is false", what)};
  if (earlier >= max_interruptions)
    return {false, 0, fmt::format("{}; interrupted {} times, giving up", what, earlier + 1)};
  return {true, now_ms + backoff_ms(rule, earlier), fmt::format("{}; trying again", what)};
}

}  // namespace

std::int64_t backoff_ms(RetryRule const& rule, std::uint32_t earlier) {
  auto const base = std::max<std::int64_t>(rule.backoff_ms, 0);
  auto const cap = std::max(base, backoff_cap_ms);
  auto wait = base;
  for (std::uint32_t i = 0; i < earlier && wait < cap && wait > 0; ++i) wait *= 2;
  return std::min(wait, cap);
}

RetryVerdict decide_retry(RetryRule const& rule, Ending const& ending, std::uint32_t failures,
                          std::uint32_t interruptions, WallMs now_ms) {
  switch (ending.cause) {
    case Cause::error:
      return after_error(rule, ending, failures, now_ms);
    case Cause::interruption:
      return after_interruption(rule, ending, interruptions, now_ms);
    case Cause::preemption:
      return {true, 0, ending.reason};
    case Cause::time_limit:
    case Cause::cancel:
    case Cause::unknown:
      break;
  }
  return {false, 0, ending.reason};
}

std::optional<TimeMs> lost_at_ms(JobSpec const& spec, TimeMs last_renewed_ms) {
  if (spec.autonomous) return std::nullopt;
  constexpr std::int64_t margin_ms = 2000;
  return last_renewed_ms + spec.lease_ms + spec.lease_ms / 100 + spec.stop_grace_ms + margin_ms;
}

}  // namespace lepton::deployer
