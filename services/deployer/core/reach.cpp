#include "services/deployer/core/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.hpp"

namespace lepton::deployer {
namespace {

constexpr std::int64_t milli_max = 999'999'999'999, size_max_mib = std::int64_t{1} << 40,
                       within_max_ms = std::int64_t{366} * 86'400'000;

Error bad(std::string what) {
  return {Code::invalid, std::move(what)};
}

// Every digit of it: who is told that one number is above another must see it.
std::string number(std::int64_t milli) {
  auto text = fmt::format("{}.{:03}", milli / 1'000, milli % 1'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string micro_text(std::int64_t micro) {
  return fmt::format("{:.8g}", static_cast<double>(micro) / 1e6);
}

std::optional<std::int64_t> number_in(Labels const& labels, std::string const& key) {
  auto const found = labels.find(key);
  return found == labels.end() ? std::nullopt : milli_of(found->second);
}

std::string data_key(std::string const& name) {
  return std::string(data_label) + name;
}

bool is_here(DataNeed const& data, Labels const& labels) {
  return labels.contains(data_key(data.name));
}

// Not known counts as certain.
std::int64_t probability_milli(std::string const& way, Labels const& labels) {
  auto const known = number_in(labels, std::string(exposure_label) + way);
  return std::min(known.value_or(whole_milli), whole_milli);
}

Status check_data(DataNeed const& d) {
  if (d.name.empty())
    return d == DataNeed{} ? ok() : bad("data.name: is missing; for example {name: imagenet, ...}");
  if (!is_label_key(data_key(d.name)))
    return bad("data.name: '" + d.name.substr(0, 64) + "' cannot stand in the label data/NAME");
  if (d.size_mib < 0 || d.size_mib > size_max_mib) return bad("data.size: is out of range");
  if (d.within_ms < 0 || d.within_ms > within_max_ms)
    return bad("data.within: must be at most a year");
  if (d.within_ms > 0 && d.size_mib == 0)
    return bad("data.size: is missing, and without it nobody knows how long fetching takes");
  return ok();
}

Status check_exposure(ExposureLimit const& e) {
  if (e.weights.size() > label_rules_max) return bad("exposure.weights: more than 16");
  if (e.weights.empty() && e.most_milli != 0)
    return bad("exposure.weights: is missing; for example {internet: 0.6, tenants: 0.4}");
  for (auto const& [way, weight] : e.weights) {
    if (!is_label_key(std::string(exposure_label) + way) || way.empty())
      return bad("exposure.weights: '" + way.substr(0, 64) + "' cannot stand in exposure/WAY");
    if (weight < 0 || weight > whole_milli)
      return bad("exposure.weights: '" + way + "' must be from 0 to 1");
  }
  if (e.most_milli < 0 || e.most_milli > whole_milli * static_cast<std::int64_t>(label_rules_max))
    return bad("exposure.most: must be from 0 to 16");
  return ok();
}

}  // namespace

Status check_reach(Constraints const& c) {
  if (c.limits.size() > label_rules_max) return bad("limits: more than 16");
  for (auto const& limit : c.limits) {
    if (!is_label_key(limit.key))
      return bad("limits: '" + limit.key.substr(0, 64) + "' is no key of a label");
    if (limit.most_milli < 0 || limit.most_milli > milli_max)
      return bad("limits: '" + limit.key + "' must be from 0 to 999999999");
  }
  if (auto good = check_data(c.data); !good) return good;
  return check_exposure(c.exposure);
}

bool within(LabelLimit const& limit, Labels const& labels) {
  auto const has = number_in(labels, limit.key);
  return has && *has <= limit.most_milli;
}

std::int64_t limits_met(Constraints const& c, Labels const& labels) {
  return std::count_if(c.limits.begin(), c.limits.end(),
                       [&](LabelLimit const& limit) { return within(limit, labels); });
}

bool has_data(Constraints const& c, Labels const& labels) {
  return is_here(c.data, labels);
}

std::optional<std::int64_t> transfer_ms(DataNeed const& data, Labels const& labels,
                                        std::int64_t bandwidth_mbit) {
  constexpr std::int64_t bits_of_mib = 8 << 20;
  if (is_here(data, labels)) return 0;
  if (bandwidth_mbit <= 0) return std::nullopt;
  auto const ms = static_cast<double>(data.size_mib) * bits_of_mib /
                  (static_cast<double>(bandwidth_mbit) * 1'000);
  return static_cast<std::int64_t>(std::ceil(std::min(ms, 9e15)));
}

bool arrives_in_time(DataNeed const& data, Labels const& labels, std::int64_t bandwidth_mbit) {
  auto const takes_ms = transfer_ms(data, labels, bandwidth_mbit);
  return data.within_ms == 0 || (takes_ms && *takes_ms <= data.within_ms);
}

std::int64_t exposure_micro(ExposureLimit const& e, Labels const& labels) {
  std::int64_t sum = 0;
  for (auto const& [way, weight] : e.weights) sum += weight * probability_milli(way, labels);
  return sum;
}

bool exposed_too_much(ExposureLimit const& e, Labels const& labels) {
  return exposure_micro(e, labels) > e.most_milli * whole_milli;
}

std::string limits_text(Constraints const& c) {
  std::vector<std::string> parts;
  for (auto const& limit : c.limits) parts.push_back(limit.key + " " + number(limit.most_milli));
  return text::join(parts, " and ");
}

std::string limits_in_words(Constraints const& c, Labels const& labels) {
  std::vector<std::string> parts;
  for (auto const& limit : c.limits) {
    if (within(limit, labels)) continue;
    auto const has = number_in(labels, limit.key);
    parts.push_back(has ? fmt::format("has {} {}, more than {}", limit.key, number(*has),
                                      number(limit.most_milli))
                        : fmt::format("does not say its {}", limit.key));
  }
  return text::join(parts, " and ");
}

std::string transfer_in_words(DataNeed const& data, Labels const& labels,
                              std::int64_t bandwidth_mbit) {
  auto const takes_ms = transfer_ms(data, labels, bandwidth_mbit);
  if (!takes_ms)
    return fmt::format("has no {}, and does not say how fast its network is", data.name);
  return fmt::format("would fetch {} in {} s at {} Mbit/s, and has {} s", data.name,
                     (*takes_ms + 999) / 1'000, bandwidth_mbit, data.within_ms / 1'000);
}

std::string exposure_in_words(ExposureLimit const& e, Labels const& labels) {
  std::vector<std::string> parts;
  for (auto const& [way, weight] : e.weights)
    parts.push_back(
        fmt::format("{} {} x {}", way, number(weight), number(probability_milli(way, labels))));
  return fmt::format("is exposed by {} ({}), more than {}", micro_text(exposure_micro(e, labels)),
                     text::join(parts, " + "), number(e.most_milli));
}

}  // namespace lepton::deployer
