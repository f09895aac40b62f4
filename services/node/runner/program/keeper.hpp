#pragma once
// Keeper: stands above one command that a person runs beside a task, and ends with it. Standard
// input brings frames (exec_channel.hpp has the format); their content goes to the command, whose
// output is its own. When the input hangs up, the person or the node has gone: the command gets
// SIGTERM, and two seconds later all that it started is killed. What a command leaves behind when
// it ends by itself is ended, too. One thread; a process of its own, as the task's user.
//
// Linked into lepton-runner and, statically, into lepton-init: no library beside libc.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace lepton::node {

// Its exit code as shells say it: 128 and the number of a signal; 127: it could not be run.
int keep_command(std::vector<std::string> const& command,
                 std::vector<std::string> const& environment);

// What that process was started with; nothing when this process may not look, or it is gone.
std::optional<std::vector<std::string>> environment_of(pid_t pid);

// The oldest child of a process: of the first one in a container, the task.
std::optional<pid_t> oldest_child(pid_t parent);

}  // namespace lepton::node
