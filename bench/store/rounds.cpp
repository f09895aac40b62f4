#include "bench/store/rounds.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <chrono>
#include <optional>

#include "bench/store/tables.hpp"
#include "common/store/sql.hpp"

namespace lepton::bench {
namespace {

using Steady = std::chrono::steady_clock;

double per_second(std::size_t rows, Steady::time_point begin) {
  return static_cast<double>(rows) / std::chrono::duration<double>(Steady::now() - begin).count();
}

std::vector<store::Batch> batches_of(store::Op op, Work work, std::int64_t first) {
  std::vector<store::Batch> out(work.batches);
  for (auto& batch : out)
    for (std::size_t i = 0; i < work.batch_rows; ++i)
      batch.changes.push_back({op, &ours, row(first++)});
  return out;
}

}  // namespace

Result<std::unique_ptr<StoreSide>> StoreSide::open(Secret<std::string> const& url) {
  auto side = std::make_unique<StoreSide>();
  auto lease = store::acquire_lease({url, schema, "bench"});
  if (!lease) return lease.error();
  side->lease_ = std::move(*lease);
  store::PostgresSettings settings;
  settings.database_url = url;
  settings.schema = schema;
  settings.lease_epoch = side->lease_->epoch();
  settings.post = [s = side.get()](std::function<void()> f) {
    std::lock_guard const lock(s->mutex_);
    s->answer_ = std::move(f);
    s->changed_.notify_one();
  };
  side->store_ = std::make_unique<store::PostgresStore>(std::move(settings));
  if (auto good = side->store_->connect(); !good) return good.error();
  return side;
}

store::CommitResult StoreSide::commit(store::Batch batch) {
  std::optional<store::CommitResult> result;
  store_->commit(std::move(batch), [&](store::CommitResult r) { result = std::move(r); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return answer_ != nullptr; });
  std::exchange(answer_, nullptr)();
  return *result;
}

Result<double> StoreSide::measure(std::vector<store::Batch> batches, std::size_t rows) {
  auto const begin = Steady::now();
  for (auto& batch : batches) {
    auto const result = commit(std::move(batch));
    if (result.outcome != store::Outcome::committed) return Error{Code::internal, result.why};
  }
  return per_second(rows, begin);
}

Result<double> StoreSide::appends(Work work) {
  return measure(batches_of(store::Op::append, work, 0), work.batches * work.batch_rows);
}

Result<double> StoreSide::upserts(Work work) {
  auto const rows = static_cast<std::int64_t>(work.batches * work.batch_rows);
  return measure(batches_of(store::Op::upsert, work, rows / 2), work.batches * work.batch_rows);
}

Result<std::unique_ptr<CopySide>> CopySide::open(Secret<std::string> const& url) {
  std::unique_ptr<CopySide> side(new CopySide);
  side->connection_ = PQconnectdb(url.reveal().c_str());
  if (PQstatus(side->connection_) != CONNECTION_OK)
    return Error{Code::unavailable, PQerrorMessage(side->connection_)};
  return side;
}

CopySide::~CopySide() {
  PQfinish(connection_);
}

bool CopySide::copy(std::string const& data) {
  static auto const statement = store::sql::copy_in(schema, theirs);
  auto* result = PQexec(connection_, statement.c_str());
  bool good = PQresultStatus(result) == PGRES_COPY_IN;
  PQclear(result);
  good = good && PQputCopyData(connection_, data.data(), static_cast<int>(data.size())) == 1 &&
         PQputCopyEnd(connection_, nullptr) == 1;
  while ((result = PQgetResult(connection_)) != nullptr) {
    good = good && PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
  }
  return good;
}

Result<double> CopySide::appends(Work work) {
  std::vector<std::string> data(work.batches);
  std::int64_t number = 0;
  for (auto& lines : data)
    for (std::size_t i = 0; i < work.batch_rows; ++i)
      store::sql::add_copy_line(lines, row(number++));
  auto const begin = Steady::now();
  for (auto const& lines : data)
    if (!copy(lines)) return Error{Code::internal, PQerrorMessage(connection_)};
  return per_second(work.batches * work.batch_rows, begin);
}

Status CopySide::empty_both() {
  auto* result = PQexec(connection_, "TRUNCATE bench.ours, bench.theirs");
  bool const good = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  if (good) return ok();
  return Error{Code::internal, PQerrorMessage(connection_)};
}

}  // namespace lepton::bench
