#include "services/node/telemetry/links.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/bandwidth.hpp"

namespace lepton::node {

std::int64_t bandwidth_of_links_mbit(std::string const& sys) {
  namespace fs = std::filesystem;
  std::int64_t sum = 0;
  std::error_code gone;
  for (fs::directory_iterator link(sys + "/class/net", gone), end; !gone && link != end;
       link.increment(gone)) {
    std::error_code none;
    if (!fs::exists(link->path() / "device", none)) continue;
    std::int64_t speed = 0;
    if (std::ifstream(link->path() / "speed") >> speed && speed > 0)
      sum += std::min(speed, bandwidth_mbit_max);
  }
  return std::min(sum, bandwidth_mbit_max);
}

}  // namespace lepton::node
