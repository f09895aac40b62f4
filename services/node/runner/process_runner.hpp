#pragma once
// ProcessRunner: attempts as processes or containers of this machine, each watched by a
// `lepton-runner` program that outlives this object and the node. Where a spec names an image, the
// runner's task is `lepton-container`, and the attempt has ended only when Docker says so
// (docs/decisions/0007-containers-under-the-same-runner.md). All state is in files below
// `state_dir` (attempt_files.hpp), so a new ProcessRunner on the same folder finds everything
// again. One instance per state folder.

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/runner.hpp"

namespace lepton::node {

struct ProcessRunnerOptions {
  std::string state_dir;          // absolute; made when absent
  std::string runner_program;     // empty: lepton-runner beside the running program
  std::string task_user;          // for specs without a user; empty: lepton-task, else nobody
  std::string engine_socket;      // of Docker; empty: no containers here
  bool allow_root_tasks = false;  // a spec may then name root
  std::string mountinfo = "/proc/self/mountinfo";  // where control groups are looked up
  std::int64_t start_timeout_ms = 20'000;
  std::int64_t end_patience_ms = 2'000;  // per poll, for leftovers of a dead runner
};

class ProcessRunner final : public Runner {
 public:
  // Makes the state folders. `invalid` or `exhausted` says what is wrong with them.
  static Result<ProcessRunner> open(ProcessRunnerOptions options);

  Status start(RunSpec const& spec, Secrets const& secrets) override;
  Status renew_lease(std::string_view attempt, std::int64_t deadline_boottime_ms) override;
  Status resize(std::string_view attempt, RunLimits const& limits) override;
  Result<RunLimits> limits(std::string_view attempt) override;
  Status request_stop(std::string_view attempt, std::string_view why) override;
  Result<RunStatus> poll(std::string_view attempt) override;
  std::vector<RunStatus> scan() override;
  Result<LogPart> read_log(std::string_view attempt, std::int64_t offset, std::size_t max) override;
  Status remove(std::string_view attempt) override;

  std::string output_dir(std::string_view attempt) const;

 private:
  explicit ProcessRunner(ProcessRunnerOptions options) : options_(std::move(options)) {}

  Result<RunSpec> completed(RunSpec spec) const;
  std::string programs() const;
  Status claim(RunSpec const& spec);
  Status again(RunSpec const& spec);
  Status launch(RunSpec const& spec, Secrets const& secrets);
  Result<RunStatus> resolve(AttemptFiles const& files);
  bool may_live_on(AttemptFiles const& files, RunStatus const& status) const;
  void adopt(RunStatus const& status) const;
  Status apply(AttemptFiles const& files, RunSpec const& spec, RunStatus const& status,
               RunLimits const& limits) const;
  Result<AttemptFiles> known(std::string_view attempt) const;

  ProcessRunnerOptions options_;
};

}  // namespace lepton::node
