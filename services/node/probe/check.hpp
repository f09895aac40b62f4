#pragma once
// Asks one question, at 127.0.0.1 for http and tcp. Blocks for the probe's timeout at most (and a
// second more to end a command). A command runs as the task's user, without new privileges, with
// PORT in its environment; it and all that it started in its group is killed when the time is over.
// Any thread that lives on. Errors: unavailable with the reason.

#include "common/base/result.hpp"
#include "services/node/probe/prober.hpp"

namespace lepton::node {

struct CheckSettings {
  std::string task_user;  // empty: lepton-task or nobody
  bool allow_root = false;
};

Status check(ProbeTask const& task, CheckSettings const& settings);

}  // namespace lepton::node
