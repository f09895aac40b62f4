#pragma once
// Brings back what ended tasks have left in their output folders. Every part is verified; a fetch
// that broke off goes on where it stood; nothing is ever written outside the given folder, nor
// through a link in it. One thread.

#include "cli/shell.hpp"

namespace lepton::cli {

struct FetchOptions {
  std::string job;
  std::string folder;           // empty: named after the job
  std::int64_t limit_gib = 20;  // of all files
  bool overwrite = false;       // files that are there and differ
};

Result<int> fetch_outputs(Shell& shell, FetchOptions const& options);

}  // namespace lepton::cli
