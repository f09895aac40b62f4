// What was typed for `service autoscale`, as the request. The scaler checks the values themselves.

#include <charconv>
#include <limits>

#include "cli/services/service_commands.hpp"
#include "cli/spec/amounts.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

Result<std::uint32_t> count_of(char const* option, std::int64_t value) {
  if (value >= 0 && value <= std::numeric_limits<std::int32_t>::max())
    return static_cast<std::uint32_t>(value);
  return Error{Code::invalid, std::string(option) + ": expected a number of replicas, got " +
                                  std::to_string(value)};
}

Result<ScaleSignal> signal_of(std::string const& word) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < enumerators(ScaleSignal{}).size(); ++i) {
    auto const signal = static_cast<ScaleSignal>(i);
    names.emplace_back(schema::name_of(signal));
    if (names.back() == word) return signal;
  }
  return Error{Code::invalid, "--signal: '" + word + "' is none of " + text::join(names, ", ") +
                                  text::did_you_mean(word, names)};
}

Result<double> number_of(char const* option, std::string const& word) {
  double value = 0;
  auto const* end = word.data() + word.size();
  auto const [stop, error] = std::from_chars(word.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  return Error{Code::invalid,
               std::string(option) + ": expected a number such as 0.7, got '" + word + "'"};
}

Status set_duration(char const* option, std::string const& word, std::int64_t& target_ms) {
  auto const parsed = parse_duration_ms(word);
  if (!parsed) return Error{Code::invalid, std::string(option) + ": " + parsed.error().what};
  target_ms = *parsed;
  return ok();
}

}  // namespace

Result<ServiceScalePut> autoscale_request(AutoscaleOptions const& o) {
  auto const min = count_of("--min", o.min), max = count_of("--max", o.max);
  if (!min) return min.error();
  if (!max) return max.error();
  auto const signal = signal_of(o.signal);
  if (!signal) return signal.error();
  auto const per_replica = number_of("--per-replica", o.per_replica);
  if (!per_replica) return per_replica.error();
  ServiceScalePut put{o.service, {o.policy, *signal, *per_replica, {}}, std::nullopt};
  auto& limits = put.settings.limits;
  limits.min = *min;
  limits.max = *max;
  auto good = set_duration("--up-cooldown", o.up_cooldown, limits.up_cooldown_ms);
  if (good) good = set_duration("--down-cooldown", o.down_cooldown, limits.down_cooldown_ms);
  if (good) good = set_duration("--zero-after", o.zero_after, limits.zero_after_ms);
  if (!good) return good.error();
  if (o.replicas >= 0) {
    auto const replicas = count_of("--replicas", o.replicas);
    if (!replicas) return replicas.error();
    put.replicas = *replicas;
  }
  return put;
}

}  // namespace lepton::cli
