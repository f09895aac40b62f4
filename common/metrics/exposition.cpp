#include "common/metrics/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/base/check.hpp"

namespace lepton::metrics {
namespace {

bool is_word(std::string_view s) {
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !s.empty() && letter(s[0]) && std::all_of(s.begin(), s.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

bool ends_with_any(std::string_view s, auto const& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](auto e) { return s.ends_with(e); });
}

// Length of the UTF-8 character at the front of `s`, 0 if there is none (RFC 3629: no overlong
// form, no surrogate, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view s) {
  auto const at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto const lead = at(0);
  if (lead < 0x80) return 1;  // ASCII
  std::size_t const length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  if (lead == 0xE0 && at(1) < 0xA0) return 0;
  if (lead == 0xED && at(1) > 0x9F) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;
  if (lead == 0xF4 && at(1) > 0x8F) return 0;
  return length;
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 3> names = {"counter", "gauge", "histogram"};
  return names[static_cast<std::size_t>(kind)];
}

std::string name_problem(std::string_view name, Kind kind) {
  constexpr std::array<std::string_view, 4> reserved = {"_bucket", "_sum", "_count", "_created"};
  constexpr std::array<std::string_view, 12> scaled = {
      "_ms", "_us",  "_ns",  "_minutes", "_hours", "_percent",
      "_kb", "_kib", "_mib", "_gib",     "_mb",    "_milliseconds"};
  if (!is_word(name) || !name.starts_with("lepton_"))
    return "a name is lower case letters, digits and _, and begins with lepton_";
  auto const base = name.ends_with("_total") ? name.substr(0, name.size() - 6) : name;
  if (ends_with_any(base, scaled)) return "use a base unit: seconds, bytes, ratio, joules, celsius";
  if (ends_with_any(base, reserved)) return "this ending belongs to the parts of a histogram";
  if ((kind == Kind::counter) != name.ends_with("_total"))
    return "counters end in _total, nothing else does";
  return "";
}

std::string label_problem(std::string_view label) {
  if (!is_word(label) || label.starts_with("__"))
    return "a label is lower case letters, digits and _, and does not begin with __";
  if (label == "le" || label == "quantile") return "this label belongs to the format";
  return "";
}

std::string clean_label_value(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    auto const length = utf8_length(value);
    auto const control = static_cast<unsigned char>(value[0]) < 0x20 && value[0] != '\n';
    auto const piece = length == 0 || control ? std::string_view{"?"} : value.substr(0, length);
    if (out.size() + piece.size() > max_label_value_bytes) break;
    out += piece;
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string escape_help(std::string_view text) {
  return escaped(text, false);
}
std::string escape_label_value(std::string_view text) {
  return escaped(text, true);
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string label_set(std::vector<std::string> const& names,
                      std::vector<std::string> const& values) {
  LEPTON_CHECK(names.size() == values.size(), "each label needs exactly one value");
  if (names.empty()) return "";
  std::string out = "{";
  for (std::size_t i = 0; i < names.size(); ++i)
    out += fmt::format("{}{}=\"{}\"", i == 0 ? "" : ",", names[i], escape_label_value(values[i]));
  return out + "}";
}

}  // namespace lepton::metrics
