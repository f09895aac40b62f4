// What people were answered in the end, and whether it came true.

#include <fmt/format.h>

#include "services/deployer/rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

// After the faults are over a crashed process is back at once, but not yet what it has to catch up
// with; who began to ask so late has had no fault on the way, and who asked before them still had
// some resends of the longest pause.
constexpr TimeMs begun_after_ms = 20'000, ended_after_ms = 30'000;
constexpr TimeMs resend_max_ms = 6'000;  // the longest pause between two sendings

// That there is no room is an answer, told until the time runs out; "not now" is none.
bool is_unanswered(Sent const& sent) {
  if (sent.outcome == Outcome::acked) return false;
  if (sent.refused_at > 0 && sent.refusal.code == Code::unavailable) return true;
  return sent.outcome == Outcome::timeout && sent.ended_at - sent.refused_at > resend_max_ms;
}

}  // namespace

// Once the faults are long over nobody's time runs out any more, and nobody is told to come back.
void Suite::check_requests_answered() {
  for (auto const& sent : world_.history()) {
    if (!is_unanswered(sent)) continue;
    auto const ended_late =
        sent.outcome == Outcome::timeout && sent.ended_at >= healed_at_ + ended_after_ms;
    if (sent.sent_at < healed_at_ + begun_after_ms && !ended_late) continue;
    if (sent.outcome == Outcome::pending) continue;
    world_.fail(
        fmt::format("{} asked {} of {} at {} ms, {} ms before the faults were over, and "
                    "had no answer within {} ms; the last word was '{}'",
                    sent.client, sent.topic, sent.peer, sent.sent_at, healed_at_ - sent.sent_at,
                    sent.ended_at - sent.sent_at, sent.refusal.what));
  }
}

// Who cancels what has ended is told so: what was acknowledged ends by that, whatever its tasks do
// at the same time. The identity is that of the answer, for a person may name a job by its start.
// Of an array some may have ended before.
void Suite::check_cancels() {
  auto const& runs = world_.disk("deployer").rows(deployer::JobRunRow::table);
  for (auto const& sent : world_.history()) {
    if (sent.outcome != Outcome::acked || sent.topic != JobCancel::topic) continue;
    auto const job = codec::decode<JobCancelled>(sent.reply)->job;
    auto const known = specs_.find(job);
    if (known != specs_.end() && known->second.array > 0) continue;
    auto const found = runs.find({store::Cell(job.value)});
    auto const state = found == runs.end()
                           ? JobState::queued
                           : store::from_cells<deployer::JobRunRow>(found->second)->state;
    if (state != JobState::cancelled)
      world_.fail("the cancel of " + job.value + " was acknowledged, and it is " +
                  std::string(schema::name_of(state)) + " in the end");
  }
}

}  // namespace lepton::sim
