#include "services/node/runner/fake_runner.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace lepton::node {
namespace {

constexpr auto never_ms = std::numeric_limits<TimeMs>::max();

Status failed(RunStatus& status, EndReason reason, Error error) {
  status.state = RunState::failed_to_start;
  status.reason = reason;
  status.what = error.what;
  return error;
}

}  // namespace

Status FakeRunner::start(RunSpec const& spec, Secrets const& secrets) {
  if (auto good = validate(spec, secrets); !good) return good;
  if (auto before = known(spec.attempt)) {
    auto const& attempt = **before;
    if (attempt.spec != spec)
      return Error{Code::conflict,
                   fmt::format("attempt {} exists with another spec", spec.attempt)};
    if (attempt.status.state != RunState::failed_to_start) return ok();
    return Error{code_of(attempt.status.reason), attempt.status.what};
  }
  Attempt attempt;
  attempt.spec = spec;
  if (auto script = scripts_.find(spec.task); script != scripts_.end())
    attempt.behaviour = script->second;
  else if (others_)
    attempt.behaviour = others_(spec);
  auto& status = attempt.status;
  status.attempt = spec.attempt;
  status.task = spec.task;
  attempt.limits = {spec.cpu_milli, spec.memory_mib};
  auto started = ok();
  bool is_locked = false;
  each_running(
      [&](RunSpec const& other, RunLimits const&) { is_locked |= other.task == spec.task; });
  if (is_locked) {
    started = failed(status, EndReason::lock_held,
                     {Code::conflict, fmt::format("task {} still runs here", spec.task)});
  } else if (!spec.autonomous && spec.lease_until_ms > 0 &&
             clock_.now_ms() >= spec.lease_until_ms) {
    started = failed(status, EndReason::lease_expired,
                     {Code::timeout, "the lease ran out before the attempt could start"});
  } else if (std::exchange(cut_next_launch_, false)) {
    started = failed(status, EndReason::launch_lost,
                     {Code::internal, "the runner was killed while it launched the task"});
  } else if (attempt.behaviour.start_error) {
    started = failed(status, reason_of(attempt.behaviour.start_error->code),
                     *attempt.behaviour.start_error);
  } else {
    ++starts_;
    attempt.started_at_ms = clock_.now_ms();
    attempt.lease_until_ms =
        spec.lease_until_ms > 0 ? spec.lease_until_ms : attempt.started_at_ms + spec.lease_ms;
    attempt.log = attempt.behaviour.log;
    status.state = RunState::running;
    status.started_wall_ms = clock_.wall_ms();
  }
  if (!started) status.ended_wall_ms = clock_.wall_ms();
  attempts_.emplace(spec.attempt, std::move(attempt));
  return started;
}

Result<FakeRunner::Attempt*> FakeRunner::known(std::string_view attempt) {
  auto const found = attempts_.find(attempt);
  if (found == attempts_.end())
    return Error{Code::not_found, fmt::format("this node knows no attempt {}", attempt)};
  catch_up(found->second);
  return &found->second;
}

// Brings the attempt to the present: the earliest of its possible ends so far is what happened.
void FakeRunner::catch_up(Attempt& attempt) const {
  auto const has_leftovers = attempt.status.state == RunState::ending;
  if (has_leftovers && !attempt.spec.autonomous && clock_.now_ms() >= attempt.lease_until_ms)
    end_unwatched(attempt, "the runner was killed");
  if (attempt.status.state != RunState::running) return;
  auto const& spec = attempt.spec;
  auto const now = clock_.now_ms();
  auto const own_end = attempt.behaviour.duration_ms
                           ? attempt.started_at_ms + *attempt.behaviour.duration_ms
                           : never_ms;
  auto const limit =
      spec.max_duration_ms > 0 ? attempt.started_at_ms + spec.max_duration_ms : never_ms;
  auto const lease = spec.autonomous ? never_ms : attempt.lease_until_ms;
  if (!attempt.ending_since_ms) {
    auto const first = std::min({own_end, limit, lease});
    if (first > now) return;
    if (first == own_end) return end(attempt, own_end);
    attempt.ending_since_ms = first;
    attempt.status.reason = first == limit ? EndReason::time_limit : EndReason::lease_expired;
  }
  auto const forced = attempt.behaviour.ends_on_term
                          ? *attempt.ending_since_ms
                          : *attempt.ending_since_ms + spec.stop_grace_ms;
  auto const at = std::min(own_end, forced);
  if (at <= now) end(attempt, at);
}

void FakeRunner::end(Attempt& attempt, TimeMs at_ms) const {
  auto& status = attempt.status;
  status.state = RunState::exited;
  status.ended_wall_ms = wall_of(at_ms);
  status.log_bytes = static_cast<std::int64_t>(attempt.log.size());
  if (status.reason != EndReason::unknown) {
    status.signal = attempt.behaviour.ends_on_term ? SIGTERM : SIGKILL;
  } else if (attempt.behaviour.out_of_memory) {
    status.reason = EndReason::oom;
    status.signal = SIGKILL;
    status.oom_kills = 1;
  } else {
    status.reason = EndReason::exited;
    status.exit_code = attempt.behaviour.exit_code;
  }
}

Status FakeRunner::renew_lease(std::string_view name, std::int64_t deadline_boottime_ms) {
  auto const attempt = known(name);
  if (!attempt) return attempt.error();
  if (terminal((*attempt)->status.state))
    return Error{Code::conflict, fmt::format("attempt {} has ended", name)};
  auto& until = (*attempt)->lease_until_ms;
  until = std::max(until, deadline_boottime_ms);
  return ok();
}

Status FakeRunner::resize(std::string_view name, RunLimits const& limits) {
  auto const found = known(name);
  if (!found) return found.error();
  auto& attempt = **found;
  if (auto good = check_resize(attempt.spec, limits); !good) return good;
  if (attempt.status.state != RunState::running)
    return Error{Code::conflict, fmt::format("attempt {} does not run", name)};
  auto const used = attempt.behaviour.memory_used_mib;
  if (takes_memory(limits, used))
    return Error{Code::conflict, fmt::format("{} MiB are in use, which is more than {} MiB", used,
                                             limits.memory_mib)};
  attempt.limits = limits;
  ++resizes_;
  if (std::exchange(hide_next_resize_, false))
    return Error{Code::unavailable, "Docker does not say whether it took other limits"};
  return ok();
}

Result<RunLimits> FakeRunner::limits(std::string_view name) {
  auto const found = known(name);
  if (!found) return found.error();
  return (*found)->limits;
}

Status FakeRunner::request_stop(std::string_view name, std::string_view why) {
  auto const found = known(name);
  if (!found) return found.error();
  auto& attempt = **found;
  if (attempt.status.state != RunState::running || attempt.ending_since_ms) return ok();
  attempt.ending_since_ms = clock_.now_ms();
  attempt.status.reason = EndReason::stopped;
  attempt.status.what = why;
  catch_up(attempt);
  return ok();
}

Result<RunStatus> FakeRunner::poll(std::string_view name) {
  auto const attempt = known(name);
  if (!attempt) return attempt.error();
  return (*attempt)->status;
}

std::vector<RunStatus> FakeRunner::scan() {
  std::vector<RunStatus> all;
  for (auto& [name, attempt] : attempts_) {
    catch_up(attempt);
    all.push_back(attempt.status);
  }
  return all;
}

std::vector<RunStatus> FakeRunner::running() {
  auto all = scan();
  std::erase_if(all, [](RunStatus const& status) { return terminal(status.state); });
  return all;
}

Result<LogPart> FakeRunner::read_log(std::string_view name, std::int64_t offset, std::size_t max) {
  auto const attempt = known(name);
  if (!attempt) return attempt.error();
  if (offset < 0) return Error{Code::invalid, "the log has no negative offset"};
  auto const& log = (*attempt)->log;
  auto const from = std::min(log.size(), static_cast<std::size_t>(offset));
  LogPart part{log.substr(from, max), 0, false};
  part.next_offset = offset + static_cast<std::int64_t>(part.text.size());
  part.at_end = from + part.text.size() >= log.size();
  return part;
}

Status FakeRunner::remove(std::string_view name) {
  auto const attempt = known(name);
  if (!attempt) return attempt.error();
  if (!terminal((*attempt)->status.state))
    return Error{Code::conflict, fmt::format("attempt {} still runs; stop it first", name)};
  attempts_.erase(attempts_.find(name));
  return ok();
}

void FakeRunner::end_unwatched(Attempt& attempt, std::string_view what) const {
  attempt.status.state = RunState::lost;
  attempt.status.reason = EndReason::runner_died;
  attempt.status.what = what;
  attempt.status.ended_wall_ms = clock_.wall_ms();
}

void FakeRunner::kill_runner(std::string_view name, bool leftovers) {
  auto const attempt = known(name);
  if (!attempt || (*attempt)->status.state != RunState::running) return;
  if (leftovers)
    (*attempt)->status.state = RunState::ending;
  else
    end_unwatched(**attempt, "the runner was killed");
}

void FakeRunner::clear_leftovers(std::string_view name) {
  auto const attempt = known(name);
  if (attempt && (*attempt)->status.state == RunState::ending)
    end_unwatched(**attempt, "the runner was killed");
}

}  // namespace lepton::node
