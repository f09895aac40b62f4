#pragma once
// `lepton key rotate`: a new CURVE key for a running service. For a while its peers, the clients of
// this machine and the node know both keys; then the service begins anew with the new one, and the
// old one is worth nothing any more. Each step can be repeated, so that a rotation that was broken
// off is finished by the same command. One thread. Errors: conflict (another rotation is under
// way), unavailable (nothing runs, a part does not answer), timeout (a part keeps the old key).

#include "cli/shell.hpp"

namespace lepton::cli {

struct RotateOptions {
  std::string service;
  std::string state;
  bool prepare = false;  // makes the next key known, and prints both for other machines
};

Result<int> rotate_key(Shell& shell, RotateOptions const& options);

}  // namespace lepton::cli
