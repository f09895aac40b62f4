#include "common/store/writer.hpp"
#include "common/base/planted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace lepton::store {
namespace {

constexpr int max_tries = 5;
// Below this, INSERT in the round trip of the other statements beats a COPY of its own.
constexpr std::size_t copy_from_rows = 32;
constexpr char const* guard_name = "lepton_guard";

bool is_marker_name(std::string_view s) {
  return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

std::string_view word(Op op) {
  switch (op) {
    case Op::append:
      return "append";
    case Op::upsert:
      return "upsert";
    case Op::erase:
      return "erase";
    case Op::erase_to:
      return "erase_to";
  }
  return "append";
}

std::string prepared_name(Step const& step) {
  auto name = fmt::format("{}:{}", word(step.op), step.table->name);
  if (step.op == Op::erase_to) name += fmt::format(":{}", step.depth);
  return name;
}

std::string statement_of(std::string_view schema, Step const& step) {
  switch (step.op) {
    case Op::append:
      return sql::append(schema, *step.table);
    case Op::upsert:
      return sql::upsert(schema, *step.table);
    case Op::erase:
      return sql::erase(schema, *step.table);
    case Op::erase_to:
      return sql::erase_to(schema, *step.table, step.depth);
  }
  return "";
}

// Class of SQLSTATE, PostgreSQL manual appendix A.
enum class Kind { rejected, unavailable, again };

Kind kind_of(std::string_view sqlstate) {
  if (sqlstate.size() != 5) return Kind::unavailable;
  auto const group = sqlstate.substr(0, 2);
  if (group == "40") return Kind::again;
  // Data and constraint errors; wrong or forbidden names; what the server cannot do at all.
  for (auto never : {"22", "23", "42", "0A", "21", "44", "54"})
    if (group == never) return Kind::rejected;
  return Kind::unavailable;
}

}  // namespace

Writer::Writer(WriterSettings settings) : settings_(std::move(settings)) {
  // The name stands in statements as text.
  LEPTON_CHECK(is_marker_name(settings_.marker), "the name of a writer is short and plain");
}

Result<std::unique_ptr<Connection>> Writer::open() {
  auto opened = Connection::open(settings_.target);
  if (!opened) return opened;
  if (auto good = claim(**opened); !good) return good.error();
  auto const held = settings_.lease_epoch && !planted("no_fence")
                        ? "held AS (SELECT 1 FROM lease WHERE epoch = $2::bigint FOR SHARE), "
                        : std::string();
  // A division by zero ends the transaction on the spot, so that COMMIT may travel with the rows.
  auto const guard = fmt::format(
      "WITH {}marked AS (UPDATE commit_marker SET seq = $1::bigint WHERE writer = '{}' AND "
      "seq = $1::bigint - 1 RETURNING 1) SELECT 1 / (SELECT count(*) FROM marked){}",
      held, settings_.marker, held.empty() ? "" : ", 1 / (SELECT count(*) FROM held)");
  if (auto failed = (*opened)->prepare(guard_name, guard))
    return Error{Code::unavailable, failed->what};
  return opened;
}

// Moves the marker by one; only the holder of the lease may.
Status Writer::claim(Connection& connection) {
  auto const held =
      settings_.lease_epoch
          ? fmt::format(" AND EXISTS (SELECT 1 FROM lease WHERE epoch = {} FOR SHARE)",
                        *settings_.lease_epoch)
          : std::string();
  std::vector<sql::Values> rows;
  auto failed = connection.query(
      "INSERT INTO commit_marker (writer, seq) VALUES ($1, 0) ON CONFLICT (writer) DO NOTHING",
      {settings_.marker});
  if (!failed)
    failed = connection.query(
        fmt::format("UPDATE commit_marker SET seq = seq + 1 WHERE writer = $1{} RETURNING seq",
                    held),
        {settings_.marker}, &rows);
  if (failed) {
    return Error{
        Code::unavailable,
        fmt::format("the commit marker cannot be moved: {}; were the migrations applied to "
                    "schema '{}'",
                    failed->what, settings_.target.schema)};
  }
  if (rows.empty()) return explain_guard(connection);
  marker_ = text::parse_int(rows[0].at(0).value_or("")).value_or(0);
  return ok();
}

// Why the guard refused; sets the fence when the lease has moved on.
Status Writer::explain_guard(Connection& connection) {
  std::vector<sql::Values> rows;
  if (settings_.lease_epoch) {
    auto const failed = connection.query("SELECT epoch, holder FROM lease", {}, &rows);
    if (failed) return Error{Code::unavailable, failed->what};
    auto const epoch = rows.empty() ? std::string("none") : rows[0].at(0).value_or("");
    if (epoch != std::to_string(*settings_.lease_epoch)) {
      fenced_ = true;
      return Error{
          Code::denied,
          fmt::format("the lease of schema '{}' is at epoch {} (holder '{}'), ours is {}; "
                      "this instance must stop",
                      settings_.target.schema, epoch,
                      rows.empty() ? "" : rows[0].at(1).value_or(""), *settings_.lease_epoch)};
    }
  }
  return Error{Code::unavailable,
               fmt::format("another process writes under the marker '{}'; give each its own name",
                           settings_.marker)};
}

Failed Writer::prepare(Connection& connection, Plan const& plan) {
  for (auto const& step : plan.statements)
    if (auto failed =
            connection.prepare(prepared_name(step), statement_of(settings_.target.schema, step)))
      return failed;
  return std::nullopt;
}

// BEGIN, guard and all COPY in one round trip; COMMIT too when nothing else follows.
Writer::Try Writer::copy_rows(Connection& connection, Plan const& plan) {
  auto statements = fmt::format("BEGIN; EXECUTE {}({}", guard_name, marker_ + 1);
  if (settings_.lease_epoch) statements += fmt::format(", {}", *settings_.lease_epoch);
  statements += ")";
  std::vector<std::string> copies;
  for (auto const& step : plan.copies) {
    statements += "; " + sql::copy_in(settings_.target.schema, *step.table);
    auto& data = copies.emplace_back();
    for (auto const* row : step.rows) sql::add_copy_line(data, *row);
  }
  bool const last = plan.statements.empty();
  if (last) statements += "; COMMIT";
  auto failed = connection.run(statements, copies);
  bool const at_guard = failed && !failed->lost && failed->statement == 1;
  return {std::move(failed), last, at_guard};
}

Writer::Try Writer::call_statements(Connection& connection, Plan const& plan) {
  std::vector<Connection::Call> calls;
  bool const first = plan.copies.empty();
  if (first) {
    sql::Values values{std::to_string(marker_ + 1)};
    if (settings_.lease_epoch) values.push_back(std::to_string(*settings_.lease_epoch));
    calls.push_back({"", "BEGIN", {}});
    calls.push_back({guard_name, "", std::move(values)});
  }
  for (auto const& step : plan.statements)
    calls.push_back({prepared_name(step), "", sql::arrays(step.rows, step.rows[0]->size())});
  calls.push_back({"", "COMMIT", {}});
  auto failed = connection.pipeline(calls);
  bool const at_guard = first && failed && !failed->lost && failed->statement == 1;
  return {std::move(failed), true, at_guard};
}

Writer::Try Writer::transact(Connection& connection, Plan const& plan) {
  if (auto failed = prepare(connection, plan)) return {std::move(failed), false, false};
  Try tried;
  if (!plan.copies.empty()) tried = copy_rows(connection, plan);
  if (!tried.failed && !plan.statements.empty()) tried = call_statements(connection, plan);
  return tried;
}

// The connection broke: a new one tells what became of the transaction.
std::optional<CommitResult> Writer::settle(Worker& worker, Try const& tried) {
  auto const sought = marker_ + 1;
  auto const good = worker.reopen(settings_.settle_limit_ms);
  if (fenced_ && !tried.commit_sent) return CommitResult{Outcome::fenced, good.error().what};
  if (!good) {
    worker.drop();
    marker_ = 0;
    if (!tried.commit_sent) return CommitResult{Outcome::unavailable, tried.failed->what};
    return CommitResult{Outcome::in_doubt, fmt::format("{}; asking again failed: {}",
                                                       tried.failed->what, good.error().what)};
  }
  auto const before = marker_ - 1;  // opening moved it by one
  if (before == sought) return CommitResult{};
  if (before < sought) return std::nullopt;
  return CommitResult{Outcome::in_doubt,
                      fmt::format("another process moved the marker '{}'", settings_.marker)};
}

std::optional<CommitResult> Writer::judge(Worker& worker, Try const& tried) {
  auto const& failed = *tried.failed;
  if (failed.lost) return settle(worker, tried);
  if (auto rolled_back = worker.connection()->run("ROLLBACK"); rolled_back && rolled_back->lost)
    worker.drop();
  if (tried.at_guard && failed.sqlstate == "22012") {
    auto why = worker.connection() != nullptr ? explain_guard(*worker.connection())
                                              : Status(Error{Code::unavailable, failed.what});
    worker.drop();
    return CommitResult{fenced_ ? Outcome::fenced : Outcome::unavailable, why.error().what};
  }
  switch (kind_of(failed.sqlstate)) {
    case Kind::rejected:
      return CommitResult{Outcome::rejected, failed.what};
    case Kind::unavailable:
      return CommitResult{Outcome::unavailable, failed.what};
    case Kind::again:
      break;
  }
  return std::nullopt;
}

CommitResult Writer::commit(Worker& worker, Batch const& batch) {
  auto const plan = make_plan(batch, copy_from_rows);
  std::string why;
  for (int i = 0; i < max_tries; ++i) {
    if (worker.connection() == nullptr) {
      auto const good = worker.reopen(0);
      if (!good) return {fenced_ ? Outcome::fenced : Outcome::unavailable, good.error().what};
    }
    auto const tried = transact(*worker.connection(), plan);
    if (!tried.failed) return ++marker_, CommitResult{};
    why = tried.failed->what;
    if (auto result = judge(worker, tried)) return *result;
  }
  return {Outcome::unavailable, fmt::format("given up after {} tries: {}", max_tries, why)};
}

}  // namespace lepton::store
