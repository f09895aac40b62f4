#include "services/node/core/attempt.hpp"

namespace lepton::node {
namespace {

class Machine {
 public:
  explicit Machine(AttemptState state) : state_(std::move(state)) {}

  void on(input::Assigned const& in) {
    if (state_.phase != Phase::fresh) return report_again();
    name(in.attempt, in.task);
    state_.phase = Phase::starting;
    state_.last.state = RunState::starting;
    act(action::StartRun{});
    report();
  }

  void on(input::Started const&) {
    if (state_.phase != Phase::starting) return;
    state_.phase = Phase::running;
    state_.last.state = RunState::running;
    report();
    if (state_.lease_until_ms > 0) act(action::RenewLease{state_.lease_until_ms});
    if (state_.stop_wanted) act(action::StopRun{state_.stop_why});
  }

  void on(input::StartFailed const& in) {
    // A running task cannot fail to start: such an answer belongs to a repeated start.
    if (state_.phase != Phase::starting) return;
    finish_unstarted(in.reason, in.why);
  }

  void on(input::StatusSeen const& in) {
    if (state_.phase == Phase::ended || state_.phase == Phase::removed) return;
    if (in.status.state == RunState::unknown) return;
    if (terminal(in.status.state)) return finish(in.status);
    auto const adopted = state_.phase != Phase::running;
    auto const changed = adopted || state_.last != in.status;
    state_.phase = Phase::running;
    state_.last = in.status;
    if (changed) report();
    if (adopted && state_.lease_until_ms > 0) act(action::RenewLease{state_.lease_until_ms});
    // Repeated with each look: a lost wish would leave the task running for ever.
    if (state_.stop_wanted) act(action::StopRun{state_.stop_why});
  }

  void on(input::RunnerGone const&) {
    // Not a confirmation: the folder may be wiped while the task lives. Its lease ends it, or the
    // runner is found again. While a start is on its way the start's answer decides.
    if (state_.phase != Phase::running || state_.last.state == RunState::ending) return;
    state_.last.state = RunState::ending;
    state_.last.what =
        "the runner knows nothing of this attempt any more; its end is not confirmed";
    report();
  }

  void on(input::LeaseGranted const& in) {
    if (state_.phase == Phase::ended || state_.phase == Phase::removed) return;
    if (in.until_ms <= state_.lease_until_ms) return;
    state_.lease_until_ms = in.until_ms;
    if (state_.phase == Phase::running) act(action::RenewLease{in.until_ms});
  }

  void on(input::StopWanted const& in) {
    if (state_.phase == Phase::ended || state_.phase == Phase::removed) return report_again();
    if (!state_.stop_wanted) {
      state_.stop_wanted = true;
      state_.stop_why = in.why;
    }
    if (state_.phase == Phase::fresh) {
      name(in.attempt, in.task);
      return finish_unstarted(EndReason::stopped, in.why);
    }
    if (state_.phase == Phase::running) act(action::StopRun{state_.stop_why});
  }

  void on(input::Reconnected const&) { report_again(); }

  void on(input::ReportAcked const&) {
    if (state_.phase != Phase::ended) return;
    state_.phase = Phase::removed;
    act(action::RemoveRun{});
  }

  Step take() { return {std::move(state_), std::move(actions_)}; }

 private:
  void act(Action action) { actions_.push_back(std::move(action)); }
  void report() { act(action::Report{state_.last, state_.phase == Phase::ended}); }

  // After `removed` too: the control plane asks again only when it does not know.
  void report_again() {
    if (state_.phase == Phase::fresh) return;
    act(action::Report{state_.last, terminal(state_.last.state)});
  }

  void name(std::string const& attempt, std::string const& task) {
    state_.last.attempt = attempt;
    state_.last.task = task;
  }

  void finish(RunStatus status) {
    state_.phase = Phase::ended;
    state_.last = std::move(status);
    report();
  }

  void finish_unstarted(EndReason reason, std::string const& why) {
    auto status = state_.last;
    status.state = RunState::failed_to_start;
    status.reason = reason;
    status.what = why;
    finish(std::move(status));
  }

  AttemptState state_;
  std::vector<Action> actions_;
};

}  // namespace

Step step(AttemptState state, Input const& input) {
  Machine machine(std::move(state));
  std::visit([&](auto const& in) { machine.on(in); }, input);
  return machine.take();
}

}  // namespace lepton::node
