#pragma once
// ExecDoor: the runner's side of exec_channel.hpp. Takes commands from the node, has them launched,
// and says how each ended. Part of the supervisor, on its thread; never blocks for longer than a
// second.

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>

#include "services/node/runner/exec_channel.hpp"

namespace lepton::node {

class ExecDoor {
 public:
  using Launch = std::function<Result<pid_t>(ExecCall const&)>;

  static Result<ExecDoor> open(std::string const& attempt_folder);

  int descriptor() const { return door_.get(); }
  void answer(Launch const& launch);  // when the descriptor is readable
  void close() { door_.reset(); }     // what runs goes on
  void reaped(pid_t pid, int wait_status);

  static constexpr std::size_t running_max = 12;  // a node lets people run 8

 private:
  explicit ExecDoor(Fd door) : door_(std::move(door)) {}

  Fd door_;
  std::map<pid_t, Fd> running_;
};

}  // namespace lepton::node
