#include "tests/common/metrics/page_parser.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

namespace lepton::metrics::testing {
namespace {

bool is_name(std::string_view s, bool colon) {
  if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
  for (char c : s) {
    auto const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9') && !(colon && c == ':')) return false;
  }
  return true;
}

bool read_number(std::string const& s, double& value) {
  if (s == "+Inf" || s == "-Inf") return value = s[0] == '+' ? HUGE_VAL : -HUGE_VAL, true;
  if (s == "NaN") return value = std::numeric_limits<double>::quiet_NaN(), true;
  if (s.empty() || s.find_first_not_of("0123456789+-.e") != s.npos) return false;
  char* end = nullptr;
  value = std::strtod(s.c_str(), &end);
  return *end == '\0';
}

// Reads {a="x",...} off the front of `rest`.
bool read_labels(std::string_view& rest, Series& labels) {
  if (!rest.starts_with('{')) return true;
  rest.remove_prefix(1);
  for (;;) {
    auto const equals = rest.find("=\"");
    if (equals == rest.npos || !is_name(rest.substr(0, equals), false)) return false;
    std::string const name(rest.substr(0, equals));
    rest.remove_prefix(equals + 2);
    std::string value;
    while (!rest.empty() && rest[0] != '"') {
      if (rest[0] == '\\') {
        if (rest.size() < 2) return false;
        auto const c = rest[1];
        if (c != '\\' && c != '"' && c != 'n') return false;
        value += c == 'n' ? '\n' : c;
        rest.remove_prefix(2);
      } else {
        value += rest[0];
        rest.remove_prefix(1);
      }
    }
    if (rest.size() < 2 || !labels.emplace(name, value).second) return false;
    auto const next = rest[1];
    rest.remove_prefix(2);
    if (next == '}') return true;
    if (next != ',') return false;
  }
}

bool read_sample(std::string_view line, ParsedSample& sample) {
  auto const end = line.find_first_of("{ ");
  if (end == line.npos || !is_name(line.substr(0, end), true)) return false;
  sample.name = line.substr(0, end);
  line.remove_prefix(end);
  if (!read_labels(line, sample.labels) || !line.starts_with(' ')) return false;
  sample.value_text = line.substr(1);
  return read_number(sample.value_text, sample.value);
}

bool belongs(ParsedSample const& sample, ParsedFamily const& family) {
  if (family.type != "histogram") return sample.name == family.name;
  return sample.name == family.name + "_bucket" || sample.name == family.name + "_sum" ||
         sample.name == family.name + "_count";
}

struct Buckets {
  double bound = -HUGE_VAL, count = 0;
  bool has_inf = false, has_sum = false, has_count = false;
};

// Buckets rise in bound and count and end in +Inf; then come _sum and _count, equal to +Inf.
std::string check_histogram(ParsedFamily const& family) {
  std::map<Series, Buckets> all;
  for (auto const& sample : family.samples) {
    auto labels = sample.labels;
    auto const le = labels.extract("le");
    auto& b = all[labels];
    if (sample.name.ends_with("_bucket")) {
      double bound = 0;
      if (le.empty() || !read_number(le.mapped(), bound)) return "a bucket without le";
      if (!(bound > b.bound) || b.has_sum) return "bounds do not rise";
      if (sample.value < b.count) return "bucket counts fall";
      b.bound = bound, b.count = sample.value, b.has_inf = std::isinf(bound);
    } else if (sample.name.ends_with("_sum")) {
      b.has_sum = b.has_inf;
    } else {
      b.has_count = b.has_sum && sample.value == b.count;
    }
  }
  for (auto const& [labels, b] : all)
    if (!b.has_inf || !b.has_sum || !b.has_count) return "no +Inf, _sum or equal _count";
  return "";
}

std::string check_family(ParsedFamily const& family) {
  if (family.samples.empty()) return "a family without samples";
  std::set<std::pair<std::string, Series>> seen;
  for (auto const& sample : family.samples)
    if (!seen.emplace(sample.name, sample.labels).second) return "a series stands twice";
  if (family.type == "counter")
    for (auto const& sample : family.samples)
      if (!(sample.value >= 0) || std::isinf(sample.value)) return "a counter is not a count";
  return family.type == "histogram" ? check_histogram(family) : "";
}

std::string read_line(std::string_view line, ParsedPage& page, std::set<std::string>& names) {
  auto& families = page.families;
  if (line.starts_with("# HELP ")) {
    line.remove_prefix(7);
    auto const space = line.find(' ');
    if (space == line.npos || !is_name(line.substr(0, space), true)) return "a HELP without name";
    std::string const name(line.substr(0, space));
    if (!names.insert(name).second) return "a family stands twice or is interleaved";
    families.push_back({name, std::string(line.substr(space + 1)), "", {}});
  } else if (line.starts_with("# TYPE ")) {
    line.remove_prefix(7);
    if (families.empty() || !line.starts_with(families.back().name + " "))
      return "TYPE without HELP";
    if (!families.back().type.empty() || !families.back().samples.empty())
      return "TYPE twice or late";
    families.back().type = line.substr(families.back().name.size() + 1);
    static std::set<std::string> const types = {"counter", "gauge", "histogram"};
    if (types.count(families.back().type) == 0) return "an unknown TYPE";
  } else {
    ParsedSample sample;
    if (!read_sample(line, sample)) return "a line that is no sample";
    if (families.empty() || families.back().type.empty() || !belongs(sample, families.back()))
      return "a sample outside its family";
    families.back().samples.push_back(std::move(sample));
  }
  return "";
}

}  // namespace

ParsedFamily const* ParsedPage::find(std::string_view name) const {
  for (auto const& family : families)
    if (family.name == name) return &family;
  return nullptr;
}

double ParsedPage::value(std::string_view sample, Series const& labels) const {
  for (auto const& family : families)
    for (auto const& s : family.samples)
      if (s.name == sample && s.labels == labels) return s.value;
  return std::numeric_limits<double>::quiet_NaN();
}

ParsedPage parse_page(std::string_view text) {
  ParsedPage page;
  std::set<std::string> names;
  if (!text.ends_with('\n')) page.problem = "the last line is cut off";
  if (text.find('\r') != text.npos) page.problem = "a carriage return";
  while (!text.empty() && page.problem.empty()) {
    auto const end = text.find('\n');
    page.problem = read_line(text.substr(0, end), page, names);
    if (!page.problem.empty()) page.problem += ": " + std::string(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  for (auto const& family : page.families) {
    if (!page.problem.empty()) break;
    auto const problem = check_family(family);
    if (!problem.empty()) page.problem = family.name + ": " + problem;
  }
  return page;
}

}  // namespace lepton::metrics::testing
