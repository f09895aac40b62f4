#include "services/node/core/attempt.hpp"
#include "services/node/core/run_status.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::node {
namespace {

RunStatus seen(RunState state, EndReason reason = EndReason::unknown) {
  RunStatus status;
  status.attempt = "job-0-1";
  status.task = "job-0";
  status.state = state;
  status.reason = reason;
  return status;
}

RunStatus with_pid(RunState state) {
  auto status = seen(state);
  status.pid = 4711;
  return status;
}

input::Assigned assigned() {
  return {"job-0-1", "job-0"};
}
input::StopWanted stop_wanted() {
  return {"job-0-1", "job-0", "cancelled"};
}

// A short word for each action, in order: the tables below read as conversations.
std::string words(std::vector<Action> const& actions) {
  std::string out;
  for (auto const& action : actions) {
    if (!out.empty()) out += ' ';
    if (std::holds_alternative<action::StartRun>(action)) out += "start";
    if (std::holds_alternative<action::StopRun>(action)) out += "stop";
    if (std::holds_alternative<action::RemoveRun>(action)) out += "remove";
    if (auto const* renew = std::get_if<action::RenewLease>(&action))
      out += "renew:" + std::to_string(renew->until_ms);
    if (auto const* report = std::get_if<action::Report>(&action)) {
      auto const names = enumerators(RunState{});
      out += report->final ? "FINAL:" : "report:";
      out += names[static_cast<std::size_t>(report->status.state)];
    }
  }
  return out;
}

struct Line {
  Input input;
  std::string actions;
};

void expect(std::vector<Line> const& lines) {
  AttemptState state;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto next = step(state, lines[i].input);
    EXPECT_EQ(words(next.actions), lines[i].actions) << "line " << i;
    state = std::move(next.state);
  }
}

TEST(Attempt, RunsToItsEnd) {
  expect({{assigned(), "start report:starting"},
          {input::Started{}, "report:running"},
          {input::StatusSeen{with_pid(RunState::running)}, "report:running"},
          {input::StatusSeen{with_pid(RunState::running)}, ""},
          {input::StatusSeen{seen(RunState::exited, EndReason::exited)}, "FINAL:exited"},
          {input::StatusSeen{seen(RunState::exited, EndReason::exited)}, ""},
          {input::ReportAcked{}, "remove"},
          {input::ReportAcked{}, ""}});
}

TEST(Attempt, AnAssignmentTwiceStartsOnce) {
  expect({{assigned(), "start report:starting"},
          {assigned(), "report:starting"},
          {input::Started{}, "report:running"},
          {assigned(), "report:running"},
          {input::StatusSeen{seen(RunState::exited)}, "FINAL:exited"},
          {assigned(), "FINAL:exited"},
          {input::ReportAcked{}, "remove"},
          {assigned(), "FINAL:exited"}});
}

TEST(Attempt, AFailedStartIsFinal) {
  expect({{assigned(), "start report:starting"},
          {input::StartFailed{"disk full"}, "FINAL:failed_to_start"},
          {input::Started{}, ""},
          {input::ReportAcked{}, "remove"}});
}

TEST(Attempt, AStopBeforeTheStartKeepsItFromStarting) {
  expect({{stop_wanted(), "FINAL:failed_to_start"},
          {assigned(), "FINAL:failed_to_start"},
          {input::ReportAcked{}, "remove"}});
}

TEST(Attempt, AStopWhileStartingWaitsForTheAnswer) {
  expect({{assigned(), "start report:starting"},
          {stop_wanted(), ""},
          {input::Started{}, "report:running stop"},
          {input::StatusSeen{with_pid(RunState::running)}, "report:running stop"},
          {input::StatusSeen{with_pid(RunState::running)}, "stop"},
          {input::StatusSeen{seen(RunState::exited, EndReason::stopped)}, "FINAL:exited"}});
}

TEST(Attempt, LeasesAreKeptForTheStartAndNeverShortened) {
  expect({{assigned(), "start report:starting"},
          {input::LeaseGranted{500}, ""},
          {input::Started{}, "report:running renew:500"},
          {input::LeaseGranted{900}, "renew:900"},
          {input::LeaseGranted{700}, ""},
          {input::StatusSeen{seen(RunState::exited)}, "FINAL:exited"},
          {input::LeaseGranted{2000}, ""}});
}

TEST(Attempt, ARestartedNodeAdoptsWhatRuns) {
  expect({{input::StatusSeen{seen(RunState::running)}, "report:running"},
          {assigned(), "report:running"},
          {stop_wanted(), "stop"},
          {input::StatusSeen{seen(RunState::exited, EndReason::stopped)}, "FINAL:exited"}});
}

TEST(Attempt, ARestartedNodeReportsWhatEndedMeanwhile) {
  expect({{input::StatusSeen{seen(RunState::lost, EndReason::runner_died)}, "FINAL:lost"},
          {input::Reconnected{}, "FINAL:lost"},
          {input::ReportAcked{}, "remove"}});
}

TEST(Attempt, AnUnconfirmedEndIsNotFinal) {
  expect({{assigned(), "start report:starting"},
          {input::Started{}, "report:running"},
          {input::StatusSeen{seen(RunState::ending)}, "report:ending"},
          {input::RunnerGone{}, ""},
          {input::StatusSeen{seen(RunState::lost, EndReason::runner_died)}, "FINAL:lost"}});
}

TEST(Attempt, AForgottenRunIsNotTakenForDead) {
  expect({{assigned(), "start report:starting"},
          {input::RunnerGone{}, ""},
          {input::Started{}, "report:running"},
          {input::RunnerGone{}, "report:ending"},
          {input::RunnerGone{}, ""}});
}

// Any inputs in any order, then a runner that tells the truth: how such a walk may look.
struct Walk {
  int starts = 0, removes = 0;
  bool final_seen = false, terminal_confirmed = false, stop_wanted = false;
  AttemptState state;

  void feed(Input const& input) {
    auto const fresh = state.phase == Phase::fresh;
    auto const starting = state.phase == Phase::starting;
    if (auto const* status = std::get_if<input::StatusSeen>(&input))
      terminal_confirmed |= terminal(status->status.state);
    if (std::holds_alternative<input::StartFailed>(input)) terminal_confirmed |= starting;
    if (std::holds_alternative<input::StopWanted>(input)) {
      stop_wanted = true;
      terminal_confirmed |= fresh;  // never started here: nothing to confirm
    }
    auto const stopped_before = state.stop_wanted;
    auto next = step(state, input);
    for (auto const& action : next.actions) look_at(action, stopped_before);
    state = std::move(next.state);
  }

  void look_at(Action const& action, bool stopped_before) {
    if (std::holds_alternative<action::StartRun>(action)) {
      ++starts;
      RC_ASSERT(!stopped_before);
      RC_ASSERT(!final_seen);
    }
    if (std::holds_alternative<action::RemoveRun>(action)) {
      ++removes;
      RC_ASSERT(final_seen);
    }
    if (auto const* report = std::get_if<action::Report>(&action)) {
      RC_ASSERT(report->final == terminal(report->status.state));
      if (report->final) RC_ASSERT(terminal_confirmed);
      if (final_seen) RC_ASSERT(report->final);
      final_seen |= report->final;
    }
  }
};

Input any_input() {
  switch (*rc::gen::inRange(0, 9)) {
    case 0:
      return assigned();
    case 1:
      return input::Started{};
    case 2:
      return input::StartFailed{"no"};
    case 3:
      return input::RunnerGone{};
    case 4:
      return input::LeaseGranted{*rc::gen::inRange<std::int64_t>(0, 1000)};
    case 5:
      return stop_wanted();
    case 6:
      return input::Reconnected{};
    case 7:
      return input::ReportAcked{};
    default: {
      auto const names = enumerators(RunState{}).size();
      return input::StatusSeen{
          seen(static_cast<RunState>(*rc::gen::inRange<int>(0, static_cast<int>(names))))};
    }
  }
}

RC_GTEST_PROP(Attempt, KeepsItsPromisesInAnyOrder, ()) {
  Walk walk;
  auto const count = *rc::gen::inRange(1, 40);
  for (int i = 0; i < count; ++i) walk.feed(any_input());
  RC_ASSERT(walk.starts <= 1);
  RC_ASSERT(walk.removes <= 1);
  // A runner that answers: what runs and is wanted to stop is told to stop, and ends finally.
  if (walk.stop_wanted) {
    walk.feed(input::Started{});
    walk.feed(input::StatusSeen{seen(RunState::exited, EndReason::stopped)});
    RC_ASSERT(walk.final_seen);
  }
}

RC_GTEST_PROP(Attempt, ARunningTaskThatShallStopIsTold, ()) {
  Walk walk;
  walk.feed(assigned());
  auto const stop_first = *rc::gen::arbitrary<bool>();
  if (stop_first) walk.feed(stop_wanted());
  walk.feed(input::Started{});
  if (!stop_first) walk.feed(stop_wanted());
  auto const next = step(walk.state, input::StatusSeen{seen(RunState::running)});
  RC_ASSERT(std::find(next.actions.begin(), next.actions.end(),
                      Action(action::StopRun{"cancelled"})) != next.actions.end());
}

RC_GTEST_PROP(Attempt, TheSameInputsGiveTheSameActions, ()) {
  std::vector<Input> inputs;
  for (int i = 0; i < 20; ++i) inputs.push_back(any_input());
  AttemptState a, b;
  for (auto const& input : inputs) {
    auto one = step(a, input), two = step(b, input);
    RC_ASSERT(one.actions == two.actions);
    RC_ASSERT(one.state == two.state);
    a = std::move(one.state);
    b = std::move(two.state);
  }
}

}  // namespace
}  // namespace lepton::node
