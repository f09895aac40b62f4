#pragma once
// Reads what an exporter shows: Prometheus' text format 0.0.4 (prometheus.io, "Exposition
// formats"), of which names, labels, types and values are used, and timestamps passed over. Strict
// where samples could be mistaken for others: a line that is not understood refuses the page. Pure.
// Errors: invalid, with the line.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::monitor {

struct ExposedSample {
  std::string name;
  std::string labels;       // as they stand, without the braces and spaces; "" for none
  double value = 0;         // may be infinite or no number
  bool is_counter = false;  // by its TYPE line; also the parts of histograms and summaries

  // name{labels}
  std::string series() const { return labels.empty() ? name : name + "{" + labels + "}"; }
  bool operator==(ExposedSample const&) const = default;
};

struct ExpositionLimits {
  std::size_t lines_max = 100'000;
  std::size_t line_bytes_max = 16'384;
  std::size_t samples_max = 50'000;
};

Result<std::vector<ExposedSample>> parse_exposition(std::string_view page,
                                                    ExpositionLimits const& limits = {});

// Names, and beginnings of names that end in '*'.
Status check_keep(std::vector<std::string> const& keep);
bool is_kept(std::vector<std::string> const& keep, std::string_view name);

}  // namespace lepton::monitor
