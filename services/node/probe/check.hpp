#pragma once
// Asks one question, at 127.0.0.1 for http and tcp. Blocks for the probe's timeout at most (and a
// second more to end a command). A command runs beside the task (exec/beside.hpp), in its container
// where it has one; it and all that it started is killed when the time is over. Any thread. Errors:
// unavailable with the reason.

#include "common/base/result.hpp"
#include "services/node/probe/prober.hpp"

namespace lepton::node {

struct CheckSettings {
  std::string state_dir;  // of the node: its attempts are asked through their runners
};

Status check(ProbeTask const& task, CheckSettings const& settings);

}  // namespace lepton::node
