#pragma once
// A strict parser of text exposition 0.0.4, stricter than a scraper, which silently accepts
// interleaved families, repeated series and broken histograms. Written from the format alone.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lepton::metrics::testing {

using Series = std::map<std::string, std::string>;  // label to value, unescaped

struct ParsedSample {
  std::string name;
  Series labels;
  double value = 0;
  std::string value_text;
};

struct ParsedFamily {
  std::string name, help, type;
  std::vector<ParsedSample> samples;
};

struct ParsedPage {
  std::vector<ParsedFamily> families;
  std::string problem;  // "" when the page keeps every rule

  ParsedFamily const* find(std::string_view name) const;
  // The value of exactly this series; NaN when it is not there.
  double value(std::string_view sample, Series const& labels = {}) const;
};

ParsedPage parse_page(std::string_view page);

}  // namespace lepton::metrics::testing
