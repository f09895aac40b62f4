#pragma once
// Staying with a job: its log as it grows, and its end. A service that restarts meanwhile is waited
// for. One thread.

#include "cli/shell.hpp"
#include "schemas/deployer.hpp"
#include "schemas/resize.hpp"

namespace lepton::cli {

struct LogOptions {
  std::string job;
  bool follow = false;
  std::int64_t task = 0;
  std::int64_t offset = 0;
};

Result<int> print_logs(Shell& shell, LogOptions const& options);

// 0 when it succeeded, 1 when it ended otherwise.
Result<int> wait_for_end(Shell& shell, JobId const& job);
// Until its size is settled; 0 when it became this one.
Result<int> wait_for_size(Shell& shell, JobId const& job, TaskSize const& size);

}  // namespace lepton::cli
