#pragma once
// `lepton up` and `lepton down`: a whole control plane on one machine, started, supervised and
// stopped by one process. One thread. Errors: conflict (runs already, port in use), and what the
// parts say.

#include "cli/shell.hpp"

namespace lepton::cli {

// What is not given stays as it was at the last start; then the defaults.
struct UpOptions {
  std::string state;
  std::string database_url_file;
  std::string alert_url_file;
  std::string listen;
  std::string node_name;
  std::int64_t port_base = 0;
  std::int64_t entrances = -1;
  std::string inside = {};  // of a stack of containers
  std::string door = {};
  bool no_node = false;
  bool with_node = false;
  bool detach = false;
};

Result<int> up(Shell& shell, UpOptions const& options);

struct DownOptions {
  std::string state;
  std::int64_t limit_s = 120;
};

// Nothing running is no error.
Result<int> down(Shell& shell, DownOptions const& options);

}  // namespace lepton::cli
