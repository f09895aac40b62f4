#include "services/monitor/core/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace lepton::monitor {
namespace {

constexpr std::size_t keep_max = 64, name_bytes_max = 200;

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

// Takes one line apart from its front.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Empty: there is none. Names of samples may hold ':', those of labels not.
  std::string_view name(bool of_sample) {
    std::size_t n = 0;
    while (n < rest_.size() && ((n == 0 ? begins_name(rest_[n]) : continues_name(rest_[n])) ||
                                (of_sample && rest_[n] == ':')))
      ++n;
    return cut(n);
  }
  std::string_view word() { return cut(std::min(rest_.find_first_of(" \t"), rest_.size())); }
  // A quoted value as it stands, with its quotes.
  std::optional<std::string_view> quoted() {
    if (rest_.empty() || rest_.front() != '"') return std::nullopt;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\')
        ++i;
      else if (rest_[i] == '"')
        return cut(i + 1);
    }
    return std::nullopt;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view cut(std::size_t n) {
    auto const head = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return head;
  }
  std::string_view rest_;
};

// After the brace: name="value" and commas, to the closing brace.
std::optional<std::string> labels_of(Line& line) {
  std::string labels;
  for (;;) {
    line.skip_blanks();
    if (line.take('}')) return labels;
    auto const name = line.name(false);
    line.skip_blanks();
    if (name.empty() || !line.take('=')) return std::nullopt;
    line.skip_blanks();
    auto const value = line.quoted();
    if (!value) return std::nullopt;
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", name, *value);
    line.skip_blanks();
    if (line.take(',')) continue;
    return line.take('}') ? std::optional(labels) : std::nullopt;
  }
}

std::optional<double> value_of(std::string_view word) {
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "+Inf" || word == "Inf") return infinite;
  if (word == "-Inf") return -infinite;
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

class Page {
 public:
  explicit Page(ExpositionLimits const& limits) : limits_(limits) {}

  Status read(std::string_view text) {
    if (!text.empty() && text.back() != '\n') return wrong("the last line does not end");
    while (!text.empty()) {
      auto const end = text.find('\n');
      auto const line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (++number_ > limits_.lines_max) return wrong("there are too many lines");
      if (line.size() > limits_.line_bytes_max) return wrong("it is too long");
      auto const good = line.starts_with('#') ? comment(line.substr(1)) : sample(line);
      if (!good) return good;
    }
    return ok();
  }
  std::vector<ExposedSample> take() { return std::move(samples_); }

 private:
  Error wrong(std::string_view what) const {
    return {Code::invalid, fmt::format("line {} of the exporter's page: {}", number_, what)};
  }

  // Only TYPE means something here.
  Status comment(std::string_view text) {
    Line line(text);
    line.skip_blanks();
    if (line.word() != "TYPE") return ok();
    line.skip_blanks();
    std::string const name(line.name(true));
    line.skip_blanks();
    auto const type = line.word();
    if (name.empty() || !line.empty()) return wrong("a TYPE that is not understood");
    if (!types_.emplace(name, type).second) return wrong("'" + name + "' has two types");
    return ok();
  }

  Status sample(std::string_view text) {
    Line line(text);
    line.skip_blanks();
    if (line.empty()) return ok();
    ExposedSample s;
    s.name = line.name(true);
    if (s.name.empty() || s.name.size() > name_bytes_max) return wrong("it begins with no name");
    line.skip_blanks();
    if (line.take('{')) {
      auto labels = labels_of(line);
      if (!labels) return wrong("labels that are not understood");
      s.labels = std::move(*labels);
      line.skip_blanks();
    }
    auto const value = value_of(line.word());
    if (!value) return wrong("a value that is no number");
    s.value = *value;
    line.skip_blanks();
    if (auto const time = line.word(); !time.empty() && !value_of(time))
      return wrong("a time that is no number");
    line.skip_blanks();
    if (!line.empty()) return wrong("there is more than a name, a value and a time");
    if (samples_.size() >= limits_.samples_max) return wrong("there are too many samples");
    s.is_counter = is_counter(s.name);
    samples_.push_back(std::move(s));
    return ok();
  }

  bool is_counter(std::string const& name) const {
    auto const of = [this](std::string const& family) {
      auto const found = types_.find(family);
      return found == types_.end() ? std::string() : found->second;
    };
    if (auto const own = of(name); !own.empty()) return own == "counter";
    for (std::string_view const part : {"_count", "_sum", "_bucket"})
      if (name.size() > part.size() && name.ends_with(part)) {
        auto const family = of(name.substr(0, name.size() - part.size()));
        return family == "histogram" || family == "summary";
      }
    return false;
  }

  ExpositionLimits const& limits_;
  std::size_t number_ = 0;
  std::map<std::string, std::string> types_;
  std::vector<ExposedSample> samples_;
};

}  // namespace

Result<std::vector<ExposedSample>> parse_exposition(std::string_view text,
                                                    ExpositionLimits const& limits) {
  Page page(limits);
  if (auto good = page.read(text); !good) return good.error();
  return page.take();
}

Status check_keep(std::vector<std::string> const& keep) {
  if (keep.empty() || keep.size() > keep_max)
    return Error{Code::invalid,
                 "keep: 1 to 64 names of samples, such as node_load1 or node_disk_*"};
  for (auto const& word : keep) {
    auto const name = std::string_view(word).substr(0, word.size() - (word.ends_with('*') ? 1 : 0));
    auto const legal =
        std::all_of(name.begin(), name.end(), [](char c) { return continues_name(c) || c == ':'; });
    if (word.empty() || word.size() > name_bytes_max || !legal)
      return Error{Code::invalid, "keep: '" + word.substr(0, 64) +
                                      "' is no name of samples, nor the beginning of "
                                      "one that ends in '*'"};
  }
  return ok();
}

bool is_kept(std::vector<std::string> const& keep, std::string_view name) {
  return std::any_of(keep.begin(), keep.end(), [name](std::string const& word) {
    if (!word.ends_with('*')) return name == word;
    return name.starts_with(std::string_view(word).substr(0, word.size() - 1));
  });
}

}  // namespace lepton::monitor
