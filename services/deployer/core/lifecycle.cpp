#include "services/deployer/core/lifecycle.hpp"
#include "common/base/planted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.hpp"
#include "common/base/text.hpp"

namespace lepton::deployer {

namespace {

// One event on one run. Collects the actions.
class Turn {
 public:
  Turn(JobId const& job, JobSpec const& spec, JobRun& run, Instant now)
      : job_(job), spec_(spec), run_(run), now_(now) {}

  Actions take() { return std::move(actions_); }

  void operator()(Placed const& e) {
    LEPTON_CHECK(run_.state == JobState::queued, "a job is placed that does not wait");
    LEPTON_CHECK(!e.nodes.empty() && e.nodes.size() == spec_.nodes, "each task needs one node");
    ++run_.round;
    run_.ending = {};
    run_.state = JobState::starting;
    run_.members.assign(e.nodes.size(), Member{});
    for (std::uint32_t i = 0; i < e.nodes.size(); ++i) {
      run_.members[i].state = AttemptState::claimed;
      run_.members[i].node = e.nodes[i];
      act(ActionKind::start, i, "");
    }
  }

  void operator()(Report const& e) {
    auto const ref = parse_attempt(e.attempt);
    if (!ref || ref->job != job_ || e.state == AttemptState::unknown) return;
    if (!expected(*ref, e.from)) {
      if (!is_final(e.state))
        actions_.push_back({ActionKind::stop, e.attempt, e.from, 0, "its round is over"});
      return;
    }
    auto& m = run_.members[ref->index];
    if (is_final(m.state) || e.state <= m.state) return;
    if (is_final(e.state)) return member_ended(ref->index, e);
    m.state = e.state;
    if (m.started_at_ms == 0) m.started_at_ms = now_.wall_ms;
    settle();
  }

  void operator()(Cancel const& e) {
    if (is_final(run_.state)) return;
    run_.ending.cause = Cause::cancel;
    run_.ending.reason = e.reason.empty() ? "cancelled" : e.reason;
    if (run_.state == JobState::queued) return finish(JobState::cancelled, run_.ending.reason);
    stop_all(run_.ending.reason);
  }

  // A round that is ending already ends for its own cause.
  void operator()(Preempt const& e) {
    if (run_.state != JobState::starting && run_.state != JobState::running) return;
    run_.ending = {Cause::preemption, 0, 0, 0, e.reason};
    stop_all(e.reason);
  }

  void operator()(Refuse const& e) {
    if (run_.state != JobState::queued) return;
    run_.ending.reason = e.reason;
    finish(JobState::refused, e.reason);
  }

  void operator()(NodeSilent const& e) {
    for (auto& m : run_.members)
      if (m.node == e.node && alive(m))
        m.silent_since_ms = std::max({m.silent_since_ms, e.last_renewed_ms, TimeMs{1}});
  }

  void operator()(NodeHeard const& e) {
    for (auto& m : run_.members)
      if (m.node == e.node) m.silent_since_ms = 0;
  }

  void operator()(NodeGone const& e) {
    auto const why = e.reason.empty() ? fmt::format("node {} is gone", e.node.value) : e.reason;
    for (std::uint32_t i = 0; i < run_.members.size(); ++i)
      if (run_.members[i].node == e.node && alive(run_.members[i])) member_lost(i, why);
  }

  void operator()(Tick const&) {
    for (std::uint32_t i = 0; i < run_.members.size(); ++i) {
      auto const& m = run_.members[i];
      if (!alive(m) || m.silent_since_ms == 0) continue;
      auto const at = lost_at_ms(spec_, m.silent_since_ms);
      if (at && (*at <= now_.mono_ms || planted("lease_not_awaited")))
        member_lost(i, fmt::format("node {} fell silent and the lease ran out", m.node.value));
    }
    for (std::uint32_t i = 0; i < run_.members.size(); ++i)
      if (over_limit(run_.members[i])) end_round(i, Cause::time_limit, limit_text());
  }

 private:
  static bool alive(Member const& m) {
    return m.state != AttemptState::unknown && !is_final(m.state);
  }
  static bool succeeded(Member const& m) {
    return m.state == AttemptState::exited && m.exit_code == 0 && m.signal == 0;
  }
  // A word on an attempt of the present round, not given up, from the node that has it.
  bool expected(AttemptRef const& ref, NodeId const& from) const {
    if (ref.round != run_.round || ref.index >= run_.members.size()) return false;
    auto const& m = run_.members[ref.index];
    return m.state != AttemptState::lost && m.node == from;
  }
  bool over_limit(Member const& m) const {
    return spec_.max_duration_ms > 0 && alive(m) && m.started_at_ms > 0 &&
           m.started_at_ms + spec_.max_duration_ms <= now_.wall_ms;
  }
  std::string limit_text() const {
    return fmt::format("ran longer than its limit of {} ms", spec_.max_duration_ms);
  }

  void act(ActionKind kind, std::uint32_t i, std::string why) {
    actions_.push_back(
        {kind, attempt_id(job_, i, run_.round), run_.members[i].node, 0, std::move(why)});
  }

  void finish(JobState state, std::string why) {
    run_.state = state;
    run_.not_before_ms = 0;
    actions_.push_back({ActionKind::finish, {}, {}, 0, std::move(why)});
  }

  void member_lost(std::uint32_t i, std::string const& why) {
    member_ended(i, {{}, {}, AttemptState::lost, 0, 0, why});
  }

  void member_ended(std::uint32_t i, Report const& e) {
    auto& m = run_.members[i];
    m.state = e.state;
    m.exit_code = e.exit_code;
    m.signal = e.signal;
    m.reason = e.reason;
    m.silent_since_ms = 0;
    act(ActionKind::release, i, e.reason);
    if (!succeeded(m) || e.over_limit)
      end_round(i, cause_of(e), e.over_limit ? limit_text() : e.reason);
    settle();
  }

  // A node that is cut off ends by itself what has passed its limit.
  static Cause cause_of(Report const& e) {
    if (e.state == AttemptState::lost) return Cause::interruption;
    return e.over_limit ? Cause::time_limit : Cause::error;
  }

  // The first cause counts; what follows from stopping does not.
  void end_round(std::uint32_t i, Cause cause, std::string const& reason) {
    if (run_.state != JobState::starting && run_.state != JobState::running) return;
    auto const& m = run_.members[i];
    run_.ending = {cause, i, m.exit_code, m.signal, reason};
    stop_all(fmt::format("task {} of the gang: {}", i, reason.empty() ? "failed" : reason));
  }

  void stop_all(std::string const& why) {
    run_.state = JobState::stopping;
    for (std::uint32_t i = 0; i < run_.members.size(); ++i) {
      auto& m = run_.members[i];
      if (!alive(m) || m.stop_sent) continue;
      m.stop_sent = true;
      m.state = AttemptState::stopping;
      act(ActionKind::stop, i, why);
    }
  }

  void settle() {
    auto const all = [&](auto const& f) {
      return std::all_of(run_.members.begin(), run_.members.end(), f);
    };
    if (is_final(run_.state) || run_.state == JobState::queued) return;
    if (all([](Member const& m) { return is_final(m.state); })) return conclude();
    auto const runs = [](Member const& m) {
      return m.state == AttemptState::running || succeeded(m);
    };
    if (run_.state == JobState::starting && all(runs)) run_.state = JobState::running;
  }

  void conclude() {
    auto const& e = run_.ending;
    if (e.cause == Cause::unknown) return finish(JobState::succeeded, "");
    if (e.cause == Cause::cancel) return finish(JobState::cancelled, e.reason);
    auto verdict = decide_retry(spec_.retry, e, run_.failures, run_.interruptions, now_.wall_ms);
    if (!verdict.again) return finish(JobState::failed, std::move(verdict.why));
    ++counter_of(e.cause);
    run_.state = JobState::queued;
    run_.not_before_ms = verdict.at_ms;
    run_.waits_since_ms = now_.wall_ms;
    actions_.push_back({ActionKind::requeue, {}, {}, verdict.at_ms, std::move(verdict.why)});
  }

  std::uint32_t& counter_of(Cause cause) {
    if (cause == Cause::preemption) return run_.preemptions;
    return cause == Cause::interruption ? run_.interruptions : run_.failures;
  }

  JobId const& job_;
  JobSpec const& spec_;
  JobRun& run_;
  Instant now_;
  Actions actions_;
};

Actions outstanding_where(JobId const& job, JobRun const& run, NodeId const* node) {
  Actions out;
  for (std::uint32_t i = 0; i < run.members.size(); ++i) {
    auto const& m = run.members[i];
    if (is_final(m.state) || (node && m.node != *node)) continue;
    auto const attempt = attempt_id(job, i, run.round);
    if (m.stop_sent)
      out.push_back({ActionKind::stop, attempt, m.node, 0, run.ending.reason});
    else if (m.state == AttemptState::claimed)
      out.push_back({ActionKind::start, attempt, m.node, 0, ""});
  }
  return out;
}

std::optional<std::uint32_t> small_number(std::string_view s) {
  auto const n = text::parse_int(s);
  if (!n || *n < 0 || *n > 0xffffffff || std::to_string(*n) != s) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

}  // namespace

Actions apply(JobId const& job, JobSpec const& spec, JobRun& run, Event const& event, Instant now) {
  Turn turn(job, spec, run, now);
  std::visit(turn, event);
  return turn.take();
}

Actions outstanding(JobId const& job, JobRun const& run) {
  return outstanding_where(job, run, nullptr);
}

Actions outstanding(JobId const& job, JobRun const& run, NodeId const& node) {
  return outstanding_where(job, run, &node);
}

std::optional<std::int64_t> next_wake_in_ms(JobSpec const& spec, JobRun const& run, Instant now) {
  std::optional<std::int64_t> wait;
  auto const consider = [&](std::int64_t ms) {
    auto const w = std::max<std::int64_t>(ms, 0);
    if (!wait || w < *wait) wait = w;
  };
  auto const limited = spec.max_duration_ms > 0 &&
                       (run.state == JobState::starting || run.state == JobState::running);
  for (auto const& m : run.members) {
    if (m.state == AttemptState::unknown || is_final(m.state)) continue;
    if (limited && m.started_at_ms > 0)
      consider(m.started_at_ms + spec.max_duration_ms - now.wall_ms);
    if (m.silent_since_ms == 0) continue;
    if (auto const at = lost_at_ms(spec, m.silent_since_ms))
      consider(planted("lease_not_awaited") ? 0 : *at - now.mono_ms);
  }
  return wait;
}

void after_restart(JobRun& run, Instant now) {
  if (is_final(run.state)) return;
  run.not_before_ms = std::min(run.not_before_ms, now.wall_ms + backoff_cap_ms);
  run.waits_since_ms = std::min(run.waits_since_ms, now.wall_ms);
  for (auto& m : run.members) {
    if (m.state == AttemptState::unknown || is_final(m.state)) continue;
    m.started_at_ms = std::min(m.started_at_ms, now.wall_ms);
    m.silent_since_ms = std::max(now.mono_ms, TimeMs{1});
  }
}

TaskId task_id(JobId const& job, std::uint32_t index) {
  return {fmt::format("{}-{}", job.value, index)};
}

AttemptId attempt_id(JobId const& job, std::uint32_t index, std::uint32_t round) {
  return {fmt::format("{}-{}-{}", job.value, index, round)};
}

std::optional<AttemptRef> parse_attempt(AttemptId const& attempt) {
  std::string_view const s = attempt.value;
  auto const last = s.rfind('-');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  auto const first = s.rfind('-', last - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  auto const index = small_number(s.substr(first + 1, last - first - 1));
  auto const round = small_number(s.substr(last + 1));
  if (!index || !round) return std::nullopt;
  return AttemptRef{{std::string(s.substr(0, first))}, *index, *round};
}

}  // namespace lepton::deployer
