#pragma once
// Supervisor: the life of one attempt from launch to its final status, in the runner process. It
// watches the task, its output, the lease, the time limit and stop requests, and ends everything
// that descends from the task before it says that the attempt has ended. One thread.

#include <optional>

#include "common/base/time.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/program/exec_door.hpp"
#include "services/node/runner/program/launch.hpp"
#include "services/node/runner/program/log_sink.hpp"
#include "services/node/runner/task_lock.hpp"

namespace lepton::node {

class Supervisor {
 public:
  // `status` is what the guard has made: starting, with the control groups. It is written already,
  // but for one that is watched on.
  Supervisor(AttemptFiles files, RunSpec spec, RunStatus status, TaskLock& lock)
      : files_(std::move(files)), spec_(std::move(spec)), status_(std::move(status)), lock_(lock) {}

  // Starts the task, reports on the socket, watches to the end. The process's exit status: 0 when a
  // final status is written and nothing of the attempt lives.
  int run(Fd socket);

  // The same for a container that outlived its watcher, from `running` on; where it has ended, too,
  // no limit counts any more. 1 when it cannot be watched.
  int run_on(Container found);

 private:
  Status begin(int socket);
  bool listen();
  void take(Launched task);
  void read_lease();
  bool is_too_late() const;
  Result<Launched> launch(int socket);
  LaunchPlan process_plan(Secrets const& secrets, std::optional<User> const& user) const;
  LaunchPlan container_plan(Secrets const& secrets) const;
  Result<pid_t> launch_beside(ExecCall const& call) const;
  std::string working_dir() const;
  Status prepare_place(std::optional<User> const& user);
  void watch();
  void wait_for_something();
  void reap();
  void check_limits();
  void end_task(EndReason reason, std::string what);
  int refuse(int socket, Error const& error);
  int finish();
  bool end_box();
  void explain_end();
  void explain_wait_status(int status);
  void explain_container(ContainerEnd const& end);
  void explain_reason();
  bool write_final();

  AttemptFiles files_;
  RunSpec spec_;
  RunStatus status_;
  TaskLock& lock_;
  SystemClock clock_;
  std::optional<LogSink> log_;
  std::optional<ExecDoor> exec_door_;
  Launched task_;
  Fd signals_;
  bool output_open_ = true;
  bool asked_to_stop_ = false;
  std::optional<int> wait_status_;  // of the task, once it ended
  TimeMs lease_until_ms_ = 0;
  TimeMs time_limit_at_ms_ = 0;  // 0: none
  TimeMs kill_at_ms_ = 0;        // 0: not ending
};

}  // namespace lepton::node
