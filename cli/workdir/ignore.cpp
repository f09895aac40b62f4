#include "cli/workdir/ignore.hpp"

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

constexpr std::size_t line_bytes_max = 1'024, parts_max = 64;

// The class that begins at pattern[at] == '['; nothing for one without an end, which is a plain
// '['.
struct Class {
  bool holds = false;
  std::size_t end = 0;  // behind its ']'
};
std::optional<Class> read_class(std::string_view pattern, std::size_t at, char c) {
  auto i = at + 1;
  auto const negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  auto const at_value = [](char x) { return static_cast<unsigned char>(x); };
  for (auto const first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    auto const low = pattern[i];
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = pattern[i];
    }
    found = found || (at_value(low) <= at_value(c) && at_value(c) <= at_value(high));
  }
  if (i >= pattern.size()) return std::nullopt;
  return Class{found != negated, i + 1};
}

// How far the pattern gets with one character; 0: it does not match.
std::size_t step(std::string_view pattern, std::size_t at, char c) {
  if (pattern[at] == '?') return 1;
  if (pattern[at] == '[')
    if (auto const set = read_class(pattern, at, c)) return set->holds ? set->end - at : 0;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return pattern[at + 1] == c ? 2 : 0;
  return pattern[at] == c ? 1 : 0;
}

// Part by part, with all places in the path that the parts so far can have led to.
bool match_parts(std::vector<std::string> const& pattern, std::vector<std::string> const& path) {
  std::vector<bool> reached(path.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    auto const first = std::find(reached.begin(), reached.end(), true);
    if (first == reached.end()) return false;
    if (pattern[p] == "**") {
      // At the end: all that is below, not the folder itself.
      if (p + 1 == pattern.size()) return first + 1 != reached.end();
      std::fill(first, reached.end(), true);
      continue;
    }
    for (auto at = path.size(); at > 0; --at)
      reached[at] = reached[at - 1] && matches_component(pattern[p], path[at - 1]);
    reached[0] = false;
  }
  return reached[path.size()];
}

// Without trailing spaces, but for one that is escaped.
std::string_view without_tail(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
}

}  // namespace

// '*' remembers where it stood; a later mismatch goes on from there with one character more.
bool matches_component(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = pattern.npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (auto const far = p < pattern.size() ? step(pattern, p, name[n]) : 0; far > 0) {
      p += far;
      ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Status IgnoreRules::add(std::string const& folder, std::string_view lines) {
  if (lines.size() > ignore_bytes_max) return Error{Code::invalid, "is larger than 64 KiB"};
  for (auto const& line : text::split(lines, '\n'))
    if (auto added = add_line(folder, line); !added) return added;
  return ok();
}

Status IgnoreRules::add_line(std::string const& folder, std::string_view line) {
  line = without_tail(line);
  if (line.empty() || line.front() == '#') return ok();
  Pattern pattern;
  pattern.folder = folder;
  pattern.negated = line.front() == '!';
  if (pattern.negated) line.remove_prefix(1);
  pattern.folders_only = line.ends_with('/');
  if (pattern.folders_only) line.remove_suffix(1);
  auto const anchored = line.find('/') != line.npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  if (line.empty()) return ok();
  if (line.size() > line_bytes_max || patterns_.size() >= ignore_lines_max)
    return Error{Code::invalid, "has a line above 1,024 octets, or all have more than 2,000 lines"};
  if (!anchored) pattern.parts.push_back("**");
  for (auto& part : text::split(line, '/')) {
    auto const repeated = part == "**" && !pattern.parts.empty() && pattern.parts.back() == "**";
    if (!repeated) pattern.parts.push_back(std::move(part));
  }
  if (pattern.parts.size() > parts_max)
    return Error{Code::invalid, "has a line with more than 64 parts"};
  patterns_.push_back(std::move(pattern));
  return ok();
}

bool IgnoreRules::matches(Pattern const& pattern, std::string_view path, bool is_folder) {
  if (pattern.folders_only && !is_folder) return false;
  if (!pattern.folder.empty()) {
    if (!path.starts_with(pattern.folder) || path.size() <= pattern.folder.size() ||
        path[pattern.folder.size()] != '/')
      return false;
    path.remove_prefix(pattern.folder.size() + 1);
  }
  return match_parts(pattern.parts, text::split(path, '/'));
}

bool IgnoreRules::takes(std::string_view path, bool is_folder) const {
  if (path.substr(path.rfind('/') + 1) == ".git") return false;
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern)
    if (matches(*pattern, path, is_folder)) return pattern->negated;
  return true;
}

}  // namespace lepton::cli
