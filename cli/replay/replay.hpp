#pragma once
// Sends a trace through the running services: nodes of the simulated engine in a pool of their own,
// each pod submitted once in the order of arrival with a window of requests in flight, then what
// became of them and whether the audit log knows each. A service that restarts meanwhile is waited
// for: requests are sent again under their id. One thread.

#include "cli/replay/report.hpp"
#include "cli/replay/trace.hpp"
#include "cli/shell.hpp"

namespace lepton::cli {

struct ReplayOptions {
  std::string nodes_file;
  std::string pods_file;
  std::string pool;  // empty: replay-<random>
  std::int64_t window = 64;
  bool keep = false;
};

Result<int> replay(Shell& shell, ReplayOptions const& options);

}  // namespace lepton::cli
