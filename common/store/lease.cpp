#include "common/store/lease.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace lepton::store {
namespace {

Error away(Failure const& failure) {
  return {Code::unavailable, fmt::format("the lease cannot be asked after: {}", failure.what)};
}

}  // namespace

Error Lease::held_by_another() {
  std::vector<sql::Values> rows;
  (void)connection_->query(
      "SELECT holder, to_char(taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM lease", {},
      &rows);
  auto const who = rows.empty() ? std::string("a process that has not written its name yet")
                                : fmt::format("'{}' since {} UTC", rows[0].at(0).value_or(""),
                                              rows[0].at(1).value_or(""));
  return {Code::conflict,
          fmt::format("schema '{}' is served by another instance, {}; stop that one first",
                      settings_.schema, who)};
}

Status Lease::open() {
  Target target{settings_.database_url, settings_.schema,
                fmt::format("lepton {} lease", settings_.schema)};
  target.lock_limit_ms = std::max<TimeMs>(1, settings_.wait_limit_ms);
  target.statement_limit_ms = settings_.wait_limit_ms + 5'000;
  auto opened = Connection::open(target);
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  return ok();
}

// Waits in the server, so that a predecessor that is just ending is not refused.
Status Lease::lock() {
  auto const failed = connection_->query("SELECT pg_advisory_lock(hashtextextended($1, 0))",
                                         {"lepton lease " + settings_.schema});
  if (!failed) return ok();
  auto const why = failed->sqlstate == "55P03" ? held_by_another() : away(*failed);
  connection_.reset();
  return why;
}

Status Lease::take() {
  std::vector<sql::Values> rows;
  auto const failed = connection_->query(
      "INSERT INTO lease AS l (epoch, holder, taken_at) VALUES (1, $1, clock_timestamp()) "
      "ON CONFLICT (single) DO UPDATE SET epoch = l.epoch + 1, holder = EXCLUDED.holder, "
      "taken_at = EXCLUDED.taken_at RETURNING epoch",
      {settings_.holder}, &rows);
  if (failed)
    return Error{
        failed->sqlstate.substr(0, 2) == "42" ? Code::invalid : Code::unavailable,
        fmt::format("the lease of schema '{}' cannot be taken: {}; were the migrations applied",
                    settings_.schema, failed->what)};
  epoch_ = text::parse_int(rows.at(0).at(0).value_or("")).value_or(0);
  return ok();
}

Status Lease::compare_epoch() {
  std::vector<sql::Values> rows;
  if (auto failed = connection_->query("SELECT epoch FROM lease", {}, &rows)) {
    if (failed->lost) connection_.reset();
    return away(*failed);
  }
  if (!rows.empty() && rows[0].at(0) == std::to_string(epoch_)) return ok();
  return held_by_another();
}

Status Lease::check() {
  if (connection_ && connection_->alive()) {
    auto const good = compare_epoch();
    if (good || connection_) return good;
  }
  connection_.reset();
  if (auto good = open(); !good) return good;
  // A successor is told by its epoch, without waiting for its lock.
  if (auto good = compare_epoch(); !good) return good;
  if (auto good = lock(); !good) return good;
  return compare_epoch();
}

Result<std::unique_ptr<Lease>> acquire_lease(LeaseSettings settings) {
  std::unique_ptr<Lease> lease(new Lease(std::move(settings)));
  if (auto good = lease->open(); !good) return good.error();
  if (auto good = lease->lock(); !good) return good.error();
  if (auto good = lease->take(); !good) return good.error();
  return lease;
}

}  // namespace lepton::store
