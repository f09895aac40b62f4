#include "cli/spec/amounts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/bandwidth.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

constexpr double amount_max = 1e15;  // far above any field's own bound, far below 2^63

using Unit = std::pair<std::string_view, double>;
constexpr auto time_units =
    std::to_array<Unit>({{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}});
constexpr auto memory_units = std::to_array<Unit>({{"B", 1},
                                                   {"kB", 1e3},
                                                   {"MB", 1e6},
                                                   {"GB", 1e9},
                                                   {"TB", 1e12},
                                                   {"KiB", 1024.0},
                                                   {"MiB", 1024.0 * 1024},
                                                   {"GiB", 1024.0 * 1024 * 1024},
                                                   {"TiB", 1024.0 * 1024 * 1024 * 1024}});

Error bad(std::string_view text, std::string const& cure) {
  return {Code::invalid, "'" + std::string(text) + "' " + cure};
}

// Takes the number at the start of the text: digits with at most one point.
std::optional<double> take_number(std::string_view& text) {
  auto const size = std::min(text.find_first_not_of("0123456789."), text.size());
  double value = 0;
  auto const* end = text.data() + size;
  auto const [last, failed] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (size == 0 || failed != std::errc{} || last != end || value > amount_max) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

// Drops "+" or ".." at the end; false when there is an upper bound.
bool drop_open_end(std::string_view& text) {
  if (text.ends_with("..")) {
    text.remove_suffix(2);
  } else if (text.ends_with("+")) {
    text.remove_suffix(1);
  }
  return text.find("..") == text.npos;
}

Error upper_bound(std::string_view text) {
  return bad(text, "has an upper bound, which is not supported; write the least, as in '" +
                       std::string(text.substr(0, text.find(".."))) + "+'");
}

template <std::size_t N>
std::optional<double> unit_of(std::array<Unit, N> const& units, std::string_view name) {
  for (auto const& [unit, factor] : units)
    if (unit == name) return factor;
  return std::nullopt;
}

bool is_model(std::string_view text) {
  auto const fits = [](char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '-' || ch == '_' || ch == '.';
  };
  auto const is_letter = [](char ch) { return (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'; };
  return !text.empty() && text.size() <= 63 && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), fits);
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  auto const cure = "is not a duration; write for example 30s, 10m, 4h or 1h30m";
  if (text == "0") return 0;
  if (text.empty()) return bad(text, cure);
  double sum = 0;
  for (auto rest = text; !rest.empty();) {
    auto const number = take_number(rest);
    auto const size = std::min(rest.find_first_of("0123456789."), rest.size());
    auto const unit = unit_of(time_units, rest.substr(0, size));
    if (!number || !unit) return bad(text, cure);
    rest.remove_prefix(size);
    sum += *number * *unit;
  }
  if (sum > amount_max) return bad(text, "is longer than any job may last");
  return std::llround(sum);
}

Result<std::int64_t> parse_memory_mib(std::string_view text) {
  auto const cure = "is not an amount of memory; write for example 512MiB, 64GB or 64GB+";
  auto rest = text;
  if (!drop_open_end(rest)) return upper_bound(text);
  auto const number = take_number(rest);
  if (number && rest.empty())
    return bad(text, "has no unit; write for example " + std::string(text) + "GB");
  auto const unit = unit_of(memory_units, rest);
  if (!number || !unit) {
    std::vector<std::string> names;
    for (auto const& [name, factor] : memory_units) names.emplace_back(name);
    return bad(text, cure + (number ? text::did_you_mean(rest, names) : ""));
  }
  auto const mib = std::ceil(*number * *unit / (1024.0 * 1024));
  if (mib > amount_max) return bad(text, "is larger than any machine");
  return static_cast<std::int64_t>(mib);
}

Result<std::int64_t> parse_cpu_milli(std::string_view text) {
  auto const cure = "is not a number of CPU cores; write for example 16, 0.5, 500m or 16+";
  auto rest = text;
  if (!drop_open_end(rest)) return upper_bound(text);
  auto const number = take_number(rest);
  bool const milli = rest == "m";
  if (!number || (!rest.empty() && !milli) || (milli && *number != std::floor(*number)))
    return bad(text, cure);
  return std::llround(milli ? *number : *number * 1000);
}

Result<std::int64_t> parse_open_bandwidth_mbit(std::string_view text) {
  auto rest = text;
  if (!drop_open_end(rest)) return upper_bound(text);
  return parse_bandwidth_mbit(rest);
}

Result<GpuWish> parse_gpu(std::string_view text) {
  auto const cure = "is not a wish for GPUs; write a number (2), a model (H100) or both (H100:8)";
  GpuWish wish;
  auto const colon = text.find(':');
  auto const count = colon == text.npos ? (all_digits(text) ? text : "1") : text.substr(colon + 1);
  if (colon != text.npos || !all_digits(text)) {
    wish.model = std::string(text.substr(0, colon));
    if (!is_model(wish.model)) return bad(text, cure);
  }
  auto const number = all_digits(count) ? text::parse_int(count) : std::nullopt;
  if (!number || *number > 1024) return bad(text, cure);
  if (*number == 0 && !wish.model.empty()) return bad(text, "asks for no GPU; leave gpu out");
  wish.count = static_cast<std::uint32_t>(*number);
  return wish;
}

}  // namespace lepton::cli
