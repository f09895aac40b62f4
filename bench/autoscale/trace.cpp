#include "bench/autoscale/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "common/base/random.hpp"
#include "common/base/text.hpp"

namespace lepton::bench {

double SplitMix::next() {
  return static_cast<double>(splitmix(state_) >> 11) * 0x1p-53;
}

namespace {

std::int64_t scaled(double count, double scale, SplitMix& dice) {
  if (scale >= 1) return static_cast<std::int64_t>(count * scale + 0.5);
  std::int64_t kept = 0;
  for (auto left = static_cast<std::int64_t>(count + 0.5); left > 0; --left)
    kept += dice.next() < scale ? 1 : 0;
  return kept;
}

}  // namespace

Arrivals arrivals_of(std::vector<double> const& counts, TraceSource const& s) {
  auto const first = static_cast<std::size_t>(std::llround(s.from_s / s.bin_s));
  auto const last =
      s.to_s > 0 ? std::min(static_cast<std::size_t>(std::llround(s.to_s / s.bin_s)), counts.size())
                 : counts.size();
  Arrivals out{s.name, {}, static_cast<double>(last - std::min(first, last)) * s.bin_s};
  SplitMix dice(s.seed);
  for (auto i = first; i < last; ++i) {
    auto const n = scaled(counts[i], s.scale, dice);
    auto const begin = static_cast<double>(i - first) * s.bin_s;
    auto const old = static_cast<std::ptrdiff_t>(out.at_s.size());
    for (std::int64_t k = 0; k < n; ++k) {
      auto const even = (static_cast<double>(k) + 0.5) * s.bin_s / static_cast<double>(n);
      out.at_s.push_back(begin + (s.bin_s <= 1 ? even : s.bin_s * dice.next()));
    }
    std::sort(out.at_s.begin() + old, out.at_s.end());
  }
  return out;
}

Result<Arrivals> read_arrivals(std::string const& folder, TraceSource const& source) {
  auto const path = folder + "/load-traces/" + source.file;
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return Error{Code::not_found, "there is no trace " + path};
  auto const names = text::split(text::trim(line), ',');
  auto const found = std::find(names.begin(), names.end(), "requests");
  auto const column = found == names.end() ? 0 : found - names.begin();
  std::vector<double> counts;
  while (std::getline(in, line)) {
    auto const cells = text::split(text::trim(line), ',');
    auto const bad = Error{
        Code::invalid, fmt::format("{} line {}: no number of requests", path, counts.size() + 2)};
    if (cells.size() <= static_cast<std::size_t>(column)) return bad;
    auto const& cell = cells[static_cast<std::size_t>(column)];
    char* end = nullptr;
    auto const value = std::strtod(cell.c_str(), &end);
    if (end != cell.c_str() + cell.size() || !(value >= 0) || value > 1e9) return bad;
    counts.push_back(value);
  }
  return arrivals_of(counts, source);
}

}  // namespace lepton::bench
