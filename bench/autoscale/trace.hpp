#pragma once
// Arrival times made from a file of request counts (CSV with a header; the column "requests", else
// the first). The same file, range, scale and seed give the same arrivals in any language: bins of
// at most 1 s are spread evenly, wider ones by splitmix64, a scale above 1 multiplies the counts
// and one below 1 drops requests one by one. Times in seconds from the beginning of the range.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::bench {

// splitmix64 (Steele, Lea and Flood, 2014).
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  double next();  // in [0, 1)

 private:
  std::uint64_t state_;
};

struct TraceSource {
  std::string name;
  std::string file;
  double bin_s = 1;
  double from_s = 0;
  double to_s = 0;  // 0: to the end
  double scale = 1;
  std::uint64_t seed = 1;
};

struct Arrivals {
  std::string name;
  std::vector<double> at_s;  // rising
  double length_s = 0;
};

Arrivals arrivals_of(std::vector<double> const& counts, TraceSource const& source);
// not_found when the file is absent, invalid when a line is no number.
Result<Arrivals> read_arrivals(std::string const& folder, TraceSource const& source);

}  // namespace lepton::bench
