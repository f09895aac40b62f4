// audit sql: one question to the audit views, as the role that may only read them.

#include <libpq-fe.h>

#include <memory>

#include "cli/audit/audit_commands.hpp"
#include "cli/output/emit.hpp"

namespace lepton::cli {
namespace {

constexpr int rows_max = 10'000;

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

// The sentence of PostgreSQL without its prefix.
std::string primary(PGresult const* result) {
  auto const* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return text == nullptr ? "the database gave no reason" : text;
}

Error error_of(PGresult const* result) {
  auto const* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string const state = field == nullptr ? "" : field;
  if (state == "42501" || state == "25006")
    return {Code::denied, primary(result) + "; the audit log can be read here, not changed"};
  if (state == "57014")
    return {Code::timeout, "the question took too long; ask for less, or raise --timeout"};
  if (state.starts_with("42") || state.starts_with("22")) return {Code::invalid, primary(result)};
  return {Code::internal, primary(result)};
}

Result<Connection> open(Shell const& shell) {
  auto const context = shell.context();
  if (!context) return context.error();
  if (context->audit_reader_url_file.empty())
    return Error{Code::not_found,
                 "the context names no database for SQL (audit_reader_url_file); ask "
                 "who runs the control plane, or use `lepton audit tail`"};
  auto url = read_private_file(context->audit_reader_url_file);
  if (!url) return url.error();
  Connection connection(PQconnectdb(std::string(text::trim(*url)).c_str()), &PQfinish);
  wipe(url->data(), url->size());
  if (PQstatus(connection.get()) != CONNECTION_OK)
    return Error{Code::unavailable, "the database does not answer: " +
                                        std::string(text::trim(PQerrorMessage(connection.get()))) +
                                        "; see `lepton status`"};
  PQsetClientEncoding(connection.get(), "UTF8");
  return connection;
}

Status prepare(PGconn* connection, TimeMs timeout_ms) {
  auto const settings =
      "SET default_transaction_read_only = on; SET search_path = auditor; SET statement_timeout "
      "= " +
      std::to_string(timeout_ms);
  Answer const answer(PQexec(connection, settings.c_str()), &PQclear);
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return error_of(answer.get());
  return ok();
}

Table table_of(PGresult const* result, int rows) {
  std::vector<std::string> header;
  for (int c = 0; c < PQnfields(result); ++c) header.emplace_back(PQfname(result, c));
  Table table(header);
  for (int r = 0; r < rows; ++r) {
    std::vector<std::string> cells;
    for (int c = 0; c < PQnfields(result); ++c)
      cells.emplace_back(PQgetisnull(result, r, c) ? "-" : PQgetvalue(result, r, c));
    table.row(std::move(cells));
  }
  return table;
}

codec::Tree tree_of(PGresult const* result, int rows) {
  codec::Tree list;
  list.kind = codec::Tree::Kind::list;
  for (int r = 0; r < rows; ++r) {
    auto& row = list.items.emplace_back();
    row.kind = codec::Tree::Kind::map;
    for (int c = 0; c < PQnfields(result); ++c)
      row.entries.emplace_back(PQfname(result, c),
                               PQgetisnull(result, r, c)
                                   ? codec::Tree{}
                                   : codec::Tree::of_text(PQgetvalue(result, r, c)));
  }
  return list;
}

Result<int> ask_sql(Shell& shell, std::string const& sql) {
  auto const connection = open(shell);
  if (!connection) return connection.error();
  if (auto prepared = prepare(connection->get(), shell.timeout_ms()); !prepared)
    return prepared.error();
  // With parameters (none here) the protocol takes exactly one statement.
  Answer const answer(
      PQexecParams(connection->get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0),
      &PQclear);
  auto const status = PQresultStatus(answer.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return error_of(answer.get());
  auto const rows = std::min(PQntuples(answer.get()), rows_max);
  shell.print(formed(shell.format, shell.colour, tree_of(answer.get(), rows),
                     table_of(answer.get(), rows)));
  if (rows < PQntuples(answer.get()))
    shell.say("shown the first 10,000 rows; add LIMIT and OFFSET for others");
  return 0;
}

}  // namespace

Command sql_command() {
  auto const sql = std::make_shared<std::string>();
  Command c{"audit sql", "Asks the audit views in SQL, read only",
            "lepton audit sql \"SELECT actor, count(*) FROM audit_log GROUP BY actor\"\n"
            "lepton audit sql \"SELECT * FROM secret_reads LIMIT 5\""};
  c.required("SQL", "One statement; views: audit_log, job_history, denials, secret_reads",
             sql.get());
  c.run = [sql](Shell& shell) { return ask_sql(shell, *sql); };
  return c;
}

}  // namespace lepton::cli
