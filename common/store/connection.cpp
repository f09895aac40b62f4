#include "common/store/connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "common/base/check.hpp"
#include "common/base/text.hpp"

namespace lepton::store {
namespace {

constexpr std::size_t copy_chunk_bytes = 256 * 1024;
constexpr TimeMs answer_slack_ms = 2'000;  // beyond the server's own limit

// A process that stands still in a transaction must not keep its locks from a successor.
constexpr TimeMs idle_limit_ms = 3'000;

std::string first_line(char const* message) {
  auto const lines = text::split(message == nullptr ? "" : message, '\n');
  return lines.empty() ? "" : std::string(text::trim(lines[0]));
}

std::string field(PGresult const* result, int which) {
  auto const* s = PQresultErrorField(result, which);
  return s == nullptr ? "" : s;
}

// Pointers into `values`, the way libpq takes parameters.
std::vector<char const*> pointers(sql::Values const& values) {
  std::vector<char const*> out;
  for (auto const& value : values) out.push_back(value ? value->c_str() : nullptr);
  return out;
}

void ignore_notice(void*, char const*) {}

PGconn* connect(Target const& target) {
  auto const seconds = std::to_string(std::max<TimeMs>(2, (target.connect_limit_ms + 999) / 1000));
  // Later entries win, so that the URL may choose other keepalives.
  std::array const keys{"connect_timeout",  "keepalives",
                        "keepalives_idle",  "keepalives_interval",
                        "keepalives_count", "tcp_user_timeout",
                        "dbname",           "application_name",
                        "client_encoding",  static_cast<char const*>(nullptr)};
  std::array const values{seconds.c_str(),
                          "1",
                          "5",
                          "2",
                          "3",
                          "10000",
                          target.database_url.reveal().c_str(),
                          target.application.c_str(),
                          "UTF8",
                          static_cast<char const*>(nullptr)};
  return PQconnectdbParams(keys.data(), values.data(), 1);
}

bool is_byte_ordered(std::string const& collation) {
  return collation == "C" || collation == "POSIX" || collation == "C.UTF-8" ||
         collation == "C.utf8";
}

Status unsafe(std::string_view setting, std::string_view value) {
  return Error{Code::invalid,
               fmt::format("the server runs with {} = {} and could lose acknowledged work; "
                           "set {} = on in postgresql.conf and restart or reload it",
                           setting, value, setting)};
}

}  // namespace

void Connection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}
void Connection::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

Connection::Connection(pg_conn* raw, Target const& target)
    : raw_(raw), answer_limit_ms_(target.statement_limit_ms + answer_slack_ms) {}

Result<std::unique_ptr<Connection>> Connection::open(Target const& target) {
  std::unique_ptr<Connection> connection(new Connection(connect(target), target));
  auto* raw = connection->raw_.get();
  if (raw == nullptr || PQstatus(raw) != CONNECTION_OK)
    return Error{
        Code::unavailable,
        fmt::format("no connection to PostgreSQL: {}; is it running, and is database_url right",
                    raw == nullptr ? "out of memory" : first_line(PQerrorMessage(raw)))};
  PQsetNoticeProcessor(raw, ignore_notice, nullptr);
  PQsetnonblocking(raw, 1);
  if (auto good = connection->set_up(target); !good) return good.error();
  return connection;
}

Status Connection::set_up(Target const& target) {
  auto settings = fmt::format(
      "SET statement_timeout = {}; SET lock_timeout = {}; SET bytea_output = hex; "
      "SET extra_float_digits = 1; SET search_path = {}, pg_temp; "
      "SET idle_in_transaction_session_timeout = {}",
      target.statement_limit_ms, target.lock_limit_ms, sql::quote_name(target.schema),
      idle_limit_ms);
  // Statistics of a fresh table call it empty; a kept plan that scans it would then stay for hours.
  if (target.keyed_only)
    settings += "; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
  if (auto failed = run(settings)) return Error{Code::unavailable, failed->what};
  return refuse_unsafe();
}

Status Connection::refuse_unsafe() {
  std::vector<sql::Values> rows;
  auto const failed = query(
      "SELECT current_setting('fsync'), current_setting('synchronous_commit'), "
      "current_setting('full_page_writes'), current_setting('server_version_num'), "
      "current_setting('server_encoding'), pg_is_in_recovery()::text, "
      "(SELECT datcollate FROM pg_database WHERE datname = current_database())",
      {}, &rows);
  if (failed) return Error{Code::unavailable, failed->what};
  auto const at = [&](std::size_t i) { return rows.at(0).at(i).value_or(""); };
  if (at(0) == "off") return unsafe("fsync", at(0));
  if (at(1) == "off") return unsafe("synchronous_commit", at(1));
  if (at(2) == "off") return unsafe("full_page_writes", at(2));
  if (text::parse_int(at(3)).value_or(0) < 150000)
    return Error{Code::invalid,
                 fmt::format("PostgreSQL 15 or newer is needed, the server is {}", at(3))};
  if (at(4) != "UTF8")
    return Error{Code::invalid, fmt::format("the database must have encoding UTF8, not {}", at(4))};
  if (at(5) == "true")
    return Error{Code::unavailable,
                 "the server is a read-only standby; point database_url at the primary"};
  needs_byte_order_ = !is_byte_ordered(at(6));
  return ok();
}

// Nothing is expected now, so that input is a notice or the end: a server that stops says so first,
// and only the next read meets the end.
bool Connection::alive() {
  for (int reads = 0; reads < 16; ++reads) {
    if (gave_up_ || PQstatus(raw_.get()) != CONNECTION_OK) return false;
    pollfd waiting{PQsocket(raw_.get()), POLLIN, 0};
    if (poll(&waiting, 1, 0) <= 0) return true;
    if (PQconsumeInput(raw_.get()) == 0) return false;
    (void)PQisBusy(raw_.get());  // takes the notice out of the buffer
  }
  return false;
}

bool Connection::wait(bool for_write) {
  short const events = for_write ? POLLIN | POLLOUT : POLLIN;
  pollfd waiting{PQsocket(raw_.get()), events, 0};
  int const ready = poll(&waiting, 1, static_cast<int>(answer_limit_ms_));
  if (ready < 0 && errno == EINTR) return true;
  if (ready <= 0) {
    gave_up_ = true;
    return false;
  }
  if ((waiting.revents & ~POLLOUT) != 0 && PQconsumeInput(raw_.get()) == 0) return false;
  return true;
}

bool Connection::flush() {
  int left = 0;
  while ((left = PQflush(raw_.get())) == 1)
    if (!wait(true)) return false;
  return left == 0;
}

// Null at the end of a statement string, or when the connection broke (PQstatus or gave_up_ says
// so).
Connection::ResultPtr Connection::next_result() {
  while (PQisBusy(raw_.get()) == 1)
    if (!wait(false) && (gave_up_ || PQstatus(raw_.get()) != CONNECTION_OK)) break;
  if (gave_up_) return nullptr;
  return ResultPtr(PQgetResult(raw_.get()));
}

Failure Connection::lost(std::string_view doing) {
  auto const words = gave_up_ ? fmt::format("no answer within {} ms", answer_limit_ms_)
                              : first_line(PQerrorMessage(raw_.get()));
  gave_up_ = true;
  return {true, "", fmt::format("the connection to PostgreSQL broke while {}: {}", doing, words),
          0};
}

Failure Connection::failure_of(pg_result const* result, std::size_t statement) {
  auto what = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (what.empty()) what = first_line(PQresultErrorMessage(result));
  if (auto table = field(result, PG_DIAG_TABLE_NAME);
      !table.empty() && what.find(table) == what.npos)
    what += fmt::format(" (table {})", table);
  bool const gone = PQstatus(raw_.get()) != CONNECTION_OK;
  return {gone, field(result, PG_DIAG_SQLSTATE), std::move(what), statement};
}

Failed Connection::send_copy(std::string const& data) {
  for (std::size_t at = 0; at < data.size(); at += copy_chunk_bytes) {
    auto const size = static_cast<int>(std::min(copy_chunk_bytes, data.size() - at));
    int sent = 0;
    while ((sent = PQputCopyData(raw_.get(), data.data() + at, size)) == 0)
      if (!wait(true)) return lost("rows were sent");
    if (sent < 0) return lost("rows were sent");
    if (data.size() > copy_chunk_bytes && !flush()) return lost("rows were sent");
  }
  int ended = 0;
  while ((ended = PQputCopyEnd(raw_.get(), nullptr)) == 0)
    if (!wait(true)) return lost("rows were sent");
  if (ended < 0 || !flush()) return lost("rows were sent");
  return std::nullopt;
}

Failed Connection::receive_copy(std::size_t index, Line const& line) {
  for (;;) {
    char* buffer = nullptr;
    int const size = PQgetCopyData(raw_.get(), &buffer, 1);
    if (size > 0) {
      line(index, std::string_view(buffer, static_cast<std::size_t>(size)));
      PQfreemem(buffer);
    } else if (size == 0) {
      if (!wait(false)) return lost("rows were read");
    } else {
      return std::nullopt;  // the end; an error comes as the next result
    }
  }
}

// Reads every answer of one statement string; the first failure counts.
Failed Connection::collect(std::vector<std::string> const* copies, Line const* line) {
  Failed failed;
  std::size_t statement = 0, copy = 0;
  while (auto result = next_result()) {
    switch (PQresultStatus(result.get())) {
      case PGRES_COPY_IN:
        LEPTON_CHECK(copies != nullptr && copy < copies->size(), "each COPY has its data");
        if (auto broke = send_copy((*copies)[copy++])) return broke;
        break;
      case PGRES_COPY_OUT:
        LEPTON_CHECK(line != nullptr, "a COPY TO has its reader");
        if (auto broke = receive_copy(copy++, *line)) return broke;
        break;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_EMPTY_QUERY:
        ++statement;
        break;
      default:
        if (!failed) failed = failure_of(result.get(), statement);
        if (failed->lost) return failed;
    }
  }
  if (gave_up_ || PQstatus(raw_.get()) != CONNECTION_OK) {
    if (failed) failed->lost = true;
    return failed ? failed : Failed(lost("an answer was awaited"));
  }
  return failed;
}

Failed Connection::run(std::string const& statements, std::vector<std::string> const& copies) {
  if (PQsendQuery(raw_.get(), statements.c_str()) == 0 || !flush())
    return lost("a statement was sent");
  return collect(&copies, nullptr);
}

Failed Connection::read(std::string const& statements, Line const& line) {
  if (PQsendQuery(raw_.get(), statements.c_str()) == 0 || !flush())
    return lost("a statement was sent");
  return collect(nullptr, &line);
}

Failed Connection::query(std::string const& statement, sql::Values const& values,
                         std::vector<sql::Values>* rows) {
  auto const data = pointers(values);
  if (PQsendQueryParams(raw_.get(), statement.c_str(), static_cast<int>(data.size()), nullptr,
                        data.data(), nullptr, nullptr, 0) == 0 ||
      !flush())
    return lost("a statement was sent");
  Failed failed;
  while (auto result = next_result()) {
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK) continue;
    if (status != PGRES_TUPLES_OK) {
      if (!failed) failed = failure_of(result.get(), 0);
      continue;
    }
    for (int r = 0; rows != nullptr && r < PQntuples(result.get()); ++r) {
      auto& row = rows->emplace_back();
      for (int c = 0; c < PQnfields(result.get()); ++c) {
        auto const size = static_cast<std::size_t>(PQgetlength(result.get(), r, c));
        row.push_back(PQgetisnull(result.get(), r, c) == 1
                          ? std::nullopt
                          : std::optional(std::string(PQgetvalue(result.get(), r, c), size)));
      }
    }
  }
  if (!failed && (gave_up_ || PQstatus(raw_.get()) != CONNECTION_OK))
    return lost("an answer was awaited");
  return failed;
}

Failed Connection::prepare(std::string const& name, std::string const& statement) {
  if (prepared_.contains(name)) return std::nullopt;
  if (PQsendPrepare(raw_.get(), name.c_str(), statement.c_str(), 0, nullptr) == 0 || !flush())
    return lost("a statement was prepared");
  if (auto failed = collect(nullptr, nullptr)) return failed;
  prepared_.insert(name);
  return std::nullopt;
}

Failed Connection::pipeline(std::vector<Call> const& calls) {
  if (PQenterPipelineMode(raw_.get()) == 0) return lost("a transaction was sent");
  for (auto const& call : calls) {
    auto const data = pointers(call.values);
    auto const n = static_cast<int>(data.size());
    int const sent = call.prepared.empty()
                         ? PQsendQueryParams(raw_.get(), call.statement.c_str(), 0, nullptr,
                                             nullptr, nullptr, nullptr, 0)
                         : PQsendQueryPrepared(raw_.get(), call.prepared.c_str(), n, data.data(),
                                               nullptr, nullptr, 0);
    if (sent == 0) return lost("a transaction was sent");
  }
  if (PQpipelineSync(raw_.get()) == 0 || !flush()) return lost("a transaction was sent");
  auto failed = collect_pipeline(calls.size());
  if (!(failed && failed->lost) && PQexitPipelineMode(raw_.get()) == 0)
    return lost("a transaction ended");
  return failed;
}

// Each call answers with its result and a null; the sync point ends the list.
Failed Connection::collect_pipeline(std::size_t calls) {
  Failed failed;
  for (std::size_t i = 0; i <= calls; ++i) {
    auto result = next_result();
    if (!result) return failed ? failed : Failed(lost("an answer was awaited"));
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) return failed;
    bool const good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good && status != PGRES_PIPELINE_ABORTED && !failed) failed = failure_of(result.get(), i);
    if (failed && failed->lost) return failed;
    if (next_result()) return lost("an answer was awaited");
  }
  return failed;
}

}  // namespace lepton::store
