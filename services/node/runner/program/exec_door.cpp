#include "services/node/runner/program/exec_door.hpp"

#include <sys/wait.h>

namespace lepton::node {

Result<ExecDoor> ExecDoor::open(std::string const& attempt_folder) {
  auto door = open_exec_door(attempt_folder);
  if (!door) return door.error();
  return ExecDoor(std::move(*door));
}

void ExecDoor::answer(Launch const& launch) {
  auto socket = accept_exec(door_);
  if (!socket) return;
  auto const call = receive_call(*socket);
  Result<pid_t> const pid =
      !call ? Result<pid_t>(call.error())
      : running_.size() >= running_max
          ? Result<pid_t>(Error{
                Code::exhausted,
                std::to_string(running_max) + " commands run beside this task, which is the limit"})
          : launch(*call);
  if (!pid) {
    (void)send_word(*socket, {ExecWord::Kind::refused, -1, pid.error().what});
    return;
  }
  (void)send_word(*socket, {ExecWord::Kind::running, -1, ""});
  running_.emplace(*pid, std::move(*socket));
}

void ExecDoor::reaped(pid_t pid, int wait_status) {
  auto const found = running_.find(pid);
  if (found == running_.end()) return;
  auto const exited = WIFEXITED(wait_status);
  (void)send_word(found->second, {ExecWord::Kind::ended, exited ? WEXITSTATUS(wait_status) : -1,
                                  exited ? "" : "the command was ended"});
  running_.erase(found);
}

}  // namespace lepton::node
