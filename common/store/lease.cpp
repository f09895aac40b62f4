#include "common/store/lease.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/store/process_mark.hpp"

namespace lepton::store {
namespace {

std::int64_t number(sql::Values const& row, std::size_t i) {
  return text::parse_int(row.at(i).value_or("")).value_or(0);
}

}  // namespace

Error Lease::away(Failure const& failure) {
  if (failure.lost) connection_.reset();
  auto const missing = failure.sqlstate.substr(0, 2) == "42";
  return {missing ? Code::invalid : Code::unavailable,
          fmt::format("the lease of schema '{}' cannot be asked after: {}{}", settings_.schema,
                      failure.what, missing ? "; were the migrations applied" : "")};
}

Error Lease::held_by_another() {
  return {Code::conflict,
          fmt::format("schema '{}' is served by another instance, {}", settings_.schema, holder_)};
}

// What was seen over another connection may have been lost since, with a server that has crashed.
Status Lease::open() {
  if (connection_ && connection_->alive()) return ok();
  seen_.reset();
  is_quick_ = false;
  Target target{settings_.database_url, settings_.schema,
                fmt::format("lepton {} lease", settings_.schema)};
  target.statement_limit_ms = lease_valid_ms / 2;
  target.lock_limit_ms = lease_valid_ms / 3;
  auto opened = Connection::open(target);
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  return ok();
}

Result<std::optional<Lease::Seen>> Lease::look() {
  std::vector<sql::Values> rows;
  auto const failed = connection_->query(
      "SELECT l.epoch, b.beats, b.process, l.holder, "
      "to_char(l.taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') "
      "FROM lease l JOIN lease_beat b USING (epoch)",
      {}, &rows);
  if (failed) return away(*failed);
  if (rows.empty()) return std::optional<Seen>{};
  holder_ =
      fmt::format("'{}' since {} UTC", rows[0].at(3).value_or(""), rows[0].at(4).value_or(""));
  return std::optional(Seen{number(rows[0], 0), number(rows[0], 1), rows[0].at(2).value_or("")});
}

// At the first start, or after a version that knew no beats: a lease that nobody holds.
Status Lease::make_rows() {
  auto failed = connection_->query(
      "INSERT INTO lease (epoch, holder, taken_at) VALUES (1, 'nobody', clock_timestamp()) "
      "ON CONFLICT (single) DO NOTHING",
      {});
  if (!failed)
    failed = connection_->query(
        "INSERT INTO lease_beat AS b (epoch, beats, process) SELECT epoch, 0, '' FROM lease "
        "ON CONFLICT (single) DO UPDATE SET epoch = EXCLUDED.epoch, beats = b.beats + 1, "
        "process = '' WHERE b.epoch < EXCLUDED.epoch",
        {});
  return failed ? Status(away(*failed)) : ok();
}

bool Lease::may_take(Seen const& seen) const {
  return seen.process.empty() || fate_of(seen.process) == Fate::gone ||
         clock_.now_ms() - seen_at_ >= lease_lapse_ms;
}

Status Lease::take(Seen const& seen) {
  auto const sent_at = clock_.now_ms();
  std::string const next = planted("stale_leader_writes") ? "epoch" : "epoch + 1";
  std::vector<sql::Values> rows;
  auto const failed = connection_->query(
      "WITH beat AS (UPDATE lease_beat SET epoch = " + next +
          ", beats = 0, process = $4 "
          "WHERE epoch = $1::bigint AND beats = $2::bigint AND process = $3 RETURNING epoch) "
          "UPDATE lease SET epoch = beat.epoch, holder = $5, taken_at = clock_timestamp() FROM "
          "beat "
          "WHERE lease.epoch = $1::bigint RETURNING lease.epoch",
      {std::to_string(seen.epoch), std::to_string(seen.beats), seen.process, settings_.process,
       settings_.holder},
      &rows);
  if (failed) return away(*failed);
  if (rows.empty()) return held_by_another();  // it has moved meanwhile
  epoch_ = number(rows[0], 0);
  taken_at_ = sent_at;
  predecessor_ = seen.process;
  return ok();
}

Status Lease::try_take() {
  if (auto good = open(); !good) return good;
  auto seen = look();
  if (!seen) return seen.error();
  if (!*seen) {
    if (auto good = make_rows(); !good) return good;
    seen = look();
    if (!seen) return seen.error();
    if (!*seen) return held_by_another();
  }
  if (seen_ != *seen) {
    seen_ = *seen;
    seen_at_ = clock_.now_ms();
  }
  return may_take(**seen) ? take(**seen) : Status(held_by_another());
}

// A beat that a crash of the server takes back does no harm: the next one follows.
Status Lease::renew() {
  if (auto good = open(); !good) return good;
  if (!is_quick_) {
    if (auto const failed = connection_->run("SET synchronous_commit = off")) return away(*failed);
    is_quick_ = true;
  }
  std::vector<sql::Values> rows;
  auto const failed = connection_->query(
      "UPDATE lease_beat SET beats = beats + 1 WHERE epoch = $1::bigint AND process = $2 "
      "RETURNING (SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = current_user AND "
      "datname = current_database() AND "
      "application_name = current_setting('application_name'))",
      {std::to_string(epoch_), settings_.process}, &rows);
  if (failed) return away(*failed);
  if (!rows.empty()) {
    standbys_ = number(rows[0], 0);
    return ok();
  }
  if (auto seen = look(); !seen) return seen.error();
  return held_by_another();
}

void Lease::give_back() {
  if (!is_held() || !connection_ || !connection_->alive()) return;
  (void)connection_->query(
      "UPDATE lease_beat SET process = '' WHERE epoch = $1::bigint AND process = $2",
      {std::to_string(epoch_), settings_.process});
  epoch_ = 0;
}

Result<std::unique_ptr<Lease>> acquire_lease(LeaseSettings settings, TimeMs wait_limit_ms) {
  static SystemClock const clock;
  if (settings.process.empty()) settings.process = mark_of_this_process();
  auto lease = std::make_unique<Lease>(std::move(settings), clock);
  auto const end = clock.now_ms() + wait_limit_ms;
  for (;;) {
    auto const good = lease->try_take();
    if (good) return lease;
    if (good.error().code != Code::conflict || clock.now_ms() >= end) return good.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(lease_look_ms));
  }
}

}  // namespace lepton::store
