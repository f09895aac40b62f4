#pragma once
// Published figures to print beside ours.

#include <optional>
#include <string>
#include <vector>

namespace lepton::bench {

struct Published {
  double fgd = 0;  // unallocated GPU % at 100 % arrived load: Weng et al. (USENIX ATC 2023)
  double floor =
      0;  // below which nothing goes at the trace's mean mix: an LP over fillings of GPUs
};
std::optional<Published> published_for(std::string const& trace);
std::vector<std::string> published_traces();

}  // namespace lepton::bench
