#pragma once
// FakeRunner: attempts that exist only in memory, with the manners of ProcessRunner under any
// Clock. For the simulation and for tests of the node. One thread. What a task does is scripted per
// task.

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "common/base/time.hpp"
#include "services/node/runner/runner.hpp"

namespace lepton::node {

struct FakeTask {
  std::optional<std::int64_t> duration_ms = 0;  // nothing: it never ends by itself
  int exit_code = 0;
  bool ends_on_term = true;          // otherwise only SIGKILL, after the grace, ends it
  bool out_of_memory = false;        // its end is an out-of-memory kill
  std::optional<Error> start_error;  // the start fails with it
  std::string log;                   // printed at the start
  std::int64_t memory_used_mib = 0;  // it cannot be resized below that
};

class FakeRunner final : public Runner {
 public:
  explicit FakeRunner(Clock const& clock) : clock_(clock) {}

  void script(std::string task, FakeTask behaviour) { scripts_[std::move(task)] = behaviour; }
  // For tasks without a script of their own.
  void script_others(std::function<FakeTask(RunSpec const&)> behave) {
    others_ = std::move(behave);
  }

  // As kill -9 of the runner and its guard. With `leftovers` processes of the task survive, and the
  // attempt is `ending` until clear_leftovers. They end with the lease: what outlives that, because
  // the kernel cannot end it or nobody is left to do so, is beyond what leases promise.
  void kill_runner(std::string_view attempt, bool leftovers = false);
  void clear_leftovers(std::string_view attempt);
  // As kill -9 of a runner before it could start the task.
  void cut_next_launch() { cut_next_launch_ = true; }
  // Other limits hold, and nobody is told: as of Docker, whose answer is lost.
  void hide_next_resize() { hide_next_resize_ = true; }

  // As many tasks as really run now: the invariant "no two attempts of a task" is checked on it.
  std::vector<RunStatus> running();
  template <class F>
  void each_running(F const& visit) {
    for (auto& [name, attempt] : attempts_) {
      catch_up(attempt);
      if (!terminal(attempt.status.state)) visit(attempt.spec, attempt.limits);
    }
  }
  // So far: tasks that began to run, and those that were given another size.
  std::uint64_t starts() const { return starts_; }
  std::uint64_t resizes() const { return resizes_; }

  Status start(RunSpec const& spec, Secrets const& secrets) override;
  Status renew_lease(std::string_view attempt, std::int64_t deadline_boottime_ms) override;
  Status resize(std::string_view attempt, RunLimits const& limits) override;
  Result<RunLimits> limits(std::string_view attempt) override;
  Status request_stop(std::string_view attempt, std::string_view why) override;
  Result<RunStatus> poll(std::string_view attempt) override;
  std::vector<RunStatus> scan() override;
  Result<LogPart> read_log(std::string_view attempt, std::int64_t offset, std::size_t max) override;
  Status remove(std::string_view attempt) override;

 private:
  struct Attempt {
    RunSpec spec;
    FakeTask behaviour;
    RunStatus status;
    RunLimits limits;
    std::string log;
    TimeMs started_at_ms = 0;
    TimeMs lease_until_ms = 0;
    std::optional<TimeMs> ending_since_ms;
  };
  using Attempts = std::map<std::string, Attempt, std::less<>>;

  Result<Attempt*> known(std::string_view attempt);
  void catch_up(Attempt& attempt) const;
  void end(Attempt& attempt, TimeMs at_ms) const;
  void end_unwatched(Attempt& attempt, std::string_view what) const;
  std::int64_t wall_of(TimeMs at_ms) const { return clock_.wall_ms() - (clock_.now_ms() - at_ms); }

  Clock const& clock_;
  std::uint64_t starts_ = 0, resizes_ = 0;
  bool cut_next_launch_ = false, hide_next_resize_ = false;
  std::map<std::string, FakeTask, std::less<>> scripts_;
  std::function<FakeTask(RunSpec const&)> others_;
  Attempts attempts_;
};

}  // namespace lepton::node
