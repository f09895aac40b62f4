// What was typed for `service autoscale`, as the request. The scaler checks the values themselves.

#include <limits>

#include "cli/services/service_commands.hpp"
#include "cli/spec/option_words.hpp"

namespace lepton::cli {
namespace {

Result<std::uint32_t> count_of(char const* option, std::int64_t value) {
  if (value >= 0 && value <= std::numeric_limits<std::int32_t>::max())
    return static_cast<std::uint32_t>(value);
  return Error{Code::invalid, std::string(option) + ": expected a number of replicas, got " +
                                  std::to_string(value)};
}

}  // namespace

Result<ServiceScalePut> autoscale_request(AutoscaleOptions const& o) {
  auto const min = count_of("--min", o.min), max = count_of("--max", o.max);
  if (!min) return min.error();
  if (!max) return max.error();
  auto const signal = enumerator_of<ScaleSignal>("--signal", o.signal);
  if (!signal) return signal.error();
  auto const per_replica = number_of("--per-replica", o.per_replica, "0.7");
  if (!per_replica) return per_replica.error();
  auto const keep = number_of("--keep", o.keep, "0.9");
  if (!keep) return keep.error();
  auto const share = number_of("--share", o.share, "0.5");
  if (!share) return share.error();
  ServiceScalePut put{o.service, {o.policy, *signal, *per_replica, {}, 0}, std::nullopt};
  put.settings.adjustment = {*keep, *share, 0, o.follows};
  auto& limits = put.settings.limits;
  limits.min = *min;
  limits.max = *max;
  auto good = set_duration("--up-cooldown", o.up_cooldown, limits.up_cooldown_ms);
  if (good) good = set_duration("--down-cooldown", o.down_cooldown, limits.down_cooldown_ms);
  if (good) good = set_duration("--zero-after", o.zero_after, limits.zero_after_ms);
  if (good) good = set_duration("--period", o.period, put.settings.adjustment.period_ms);
  if (!good) return good.error();
  if (o.replicas >= 0) {
    auto const replicas = count_of("--replicas", o.replicas);
    if (!replicas) return replicas.error();
    put.replicas = *replicas;
  }
  return put;
}

}  // namespace lepton::cli
