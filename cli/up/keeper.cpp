#include "cli/up/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lepton::cli {

TimeMs pause_before(std::size_t restart) {
  auto pause = pause_first_ms;
  for (std::size_t i = 1; i < restart && pause < pause_max_ms; ++i) pause *= 2;
  return std::min(pause, pause_max_ms);
}

Status Keeper::start(TimeMs now) {
  auto program = Program::start(spec_);
  if (!program) return program.error();
  program_.emplace(std::move(*program));
  started_at_ = now;
  return ok();
}

Result<Keeper::Change> Keeper::step(TimeMs now) {
  if (program_) {
    auto const status = program_->exited();
    if (!status) return Change::none;
    program_.reset();
    last_status_ = *status;
    in_a_row_ = now - started_at_ > restarts_period_ms ? 1 : in_a_row_ + 1;
    if (!intensity_.allow(now))
      return report(fmt::format("ended more than {} times within {} s", restarts_max,
                                restarts_period_ms / 1000));
    due_at_ = now + pause_before(in_a_row_);
    return Change::ended;
  }
  if (now < due_at_) return Change::none;
  if (auto started = start(now); !started) return started.error();
  return Change::started;
}

Error Keeper::report(std::string const& what) const {
  return {Code::internal,
          fmt::format("{} {} (last status {}); its log is {} and ends with: {}", spec_.name, what,
                      last_status_, spec_.log.string(), log_end(spec_.log))};
}

Status Keeper::stop(TimeMs limit_ms) {
  if (!program_) return ok();
  auto stopped = program_->stop(limit_ms);
  program_.reset();
  return stopped;
}

}  // namespace lepton::cli
