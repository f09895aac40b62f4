#include "common/bus/access/path.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace lepton::access {
namespace {

constexpr std::string_view one_segment = "+";
constexpr std::string_view remaining_segments = "*";
constexpr std::string_view caller = "{subject}";

bool is_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_inside(char c) {
  return is_start(c) || c == '.' || c == '_' || c == '-';
}

bool is_kind(std::string_view word) {
  return std::find(kinds.begin(), kinds.end(), word) != kinds.end();
}

// Refused texts come from callers: only harmless characters of them go into a sentence.
std::string shown(std::string_view text) {
  std::string out = "'";
  for (char const c : text.substr(0, max_segment_size))
    out += c > ' ' && c < 0x7f && c != '\'' ? c : '?';
  return out + (text.size() > max_segment_size ? "...'" : "'");
}

Error unknown_kind(std::string_view word) {
  std::vector<std::string> const names(kinds.begin(), kinds.end());
  return {Code::invalid, shown(word) + " is no kind of resource" +
                             text::did_you_mean(word.substr(0, max_segment_size), names) +
                             "; the kinds are " + text::join(names, ", ")};
}

Status check_size(std::string_view what, std::string_view text, std::size_t segments) {
  if (text.size() > max_path_size)
    return Error{Code::invalid, std::string(what) + " has " + std::to_string(text.size()) +
                                    " characters; at most " + std::to_string(max_path_size) +
                                    " are allowed"};
  if (segments > max_segments)
    return Error{Code::invalid, std::string(what) + " has " + std::to_string(segments) +
                                    " segments; at most " + std::to_string(max_segments) +
                                    " are allowed"};
  return ok();
}

std::size_t count_segments(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
}

}  // namespace

bool legal_segment(std::string_view segment) {
  return !segment.empty() && segment.size() <= max_segment_size && is_start(segment.front()) &&
         std::all_of(segment.begin(), segment.end(), is_inside);
}

Status check_segment(std::string_view what, std::string_view segment) {
  if (legal_segment(segment)) return ok();
  return Error{Code::invalid, std::string(what) + " " + shown(segment) +
                                  " is not allowed: use 1 to 63 of a-z 0-9 . _ - and begin with "
                                  "a letter or digit"};
}

Result<ResourcePath> ResourcePath::parse(std::string_view text) {
  if (auto fits = check_size("the path", text, count_segments(text)); !fits) return fits.error();
  ResourcePath path(text);
  auto const segments = path.segments();
  for (auto const segment : segments)
    if (auto legal = check_segment("path segment", segment); !legal) return legal.error();
  if (!is_kind(segments.front())) return unknown_kind(segments.front());
  return path;
}

std::vector<std::string_view> ResourcePath::segments() const {
  std::vector<std::string_view> out;
  out.reserve(max_segments);
  std::string_view rest = text_;
  for (auto slash = rest.find('/'); slash != rest.npos; slash = rest.find('/')) {
    out.push_back(rest.substr(0, slash));
    rest.remove_prefix(slash + 1);
  }
  out.push_back(rest);
  return out;
}

Result<PathPattern> PathPattern::parse(std::string_view text) {
  if (auto fits = check_size("the pattern", text, count_segments(text)); !fits) return fits.error();
  PathPattern pattern;
  pattern.text_ = text;
  pattern.parts_ = text::split(text, '/');
  if (pattern.parts_.back() == remaining_segments) {
    pattern.open_ended_ = true;
    pattern.parts_.pop_back();
  }
  for (auto const& part : pattern.parts_) {
    if (part == one_segment || part == caller || legal_segment(part)) continue;
    return Error{Code::invalid, "pattern segment " + shown(part) +
                                    " is not allowed: write a plain segment, '+' for one segment, "
                                    "'{subject}' for the caller, or '*' as the last one"};
  }
  if (!pattern.parts_.empty() && pattern.parts_.front() != one_segment &&
      !is_kind(pattern.parts_.front()))
    return unknown_kind(pattern.parts_.front());
  return pattern;
}

bool PathPattern::matches(std::vector<std::string_view> const& segments,
                          std::string_view subject) const {
  bool const fits =
      open_ended_ ? segments.size() > parts_.size() : segments.size() == parts_.size();
  if (!fits) return false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::string_view const part = parts_[i];
    if (part == one_segment) continue;
    if (segments[i] != (part == caller ? subject : part)) return false;
  }
  return true;
}

}  // namespace lepton::access
