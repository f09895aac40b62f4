#include "cli/spec/labels.hpp"

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

Error bad(std::string const& text, std::string const& why) {
  return {Code::invalid, "'" + text + "' " + why + "; write for example zone=eu-1|eu-2, or !spot"};
}

}  // namespace

std::optional<std::pair<std::string, std::string>> label_in(std::string const& text) {
  auto const equals = text.find('=');
  if (equals == text.npos) return std::nullopt;
  std::pair label{text.substr(0, equals), text.substr(equals + 1)};
  if (!is_label_key(label.first) || !is_label_value(label.second)) return std::nullopt;
  return label;
}

Result<LabelRule> parse_label_rule(std::string const& text) {
  LabelRule rule;
  rule.negated = text.starts_with("!");
  auto const rest = text.substr(rule.negated ? 1 : 0);
  auto const equals = rest.find('=');
  rule.key = rest.substr(0, equals);
  if (!is_label_key(rule.key)) return bad(text, "names no key of a label");
  if (equals == rest.npos) return rule;
  rule.values = text::split(rest.substr(equals + 1), '|');
  for (auto const& value : rule.values)
    if (value.empty() || !is_label_value(value)) return bad(text, "has no good value");
  return rule;
}

Result<Taint> parse_taint(std::string const& text) {
  auto const equals = text.find('=');
  Taint taint{text.substr(0, equals), equals == text.npos ? "" : text.substr(equals + 1), false};
  if (!is_label_key(taint.key) || !is_label_value(taint.value))
    return Error{Code::invalid, "'" + text + "' is not KEY or KEY=VALUE of A-Z a-z 0-9 . _ -"};
  return taint;
}

std::string text_of(Taint const& taint) {
  return taint.key + (taint.value.empty() ? "" : "=" + taint.value) + (taint.soft ? " (soft)" : "");
}

}  // namespace lepton::cli
