#include "common/postgres/session.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/base/text.hpp"

namespace lepton::postgres {
namespace {

using ResultHolder = std::unique_ptr<PGresult, decltype(&PQclear)>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Code code_of(std::string_view state) {
  if (state.starts_with("28") || state == "42501") return Code::denied;
  if (state.starts_with("53")) return Code::exhausted;
  if (state.starts_with("08") || state.starts_with("57P")) return Code::unavailable;
  if (state == "55P03" || state == "57014") return Code::timeout;
  return Code::internal;
}

std::string field(PGresult const* result, int code) {
  auto const* value = PQresultErrorField(result, code);
  return value == nullptr ? "" : value;
}

// Primary message only: details can hold values of rows.
Error error_of(PGconn* connection, PGresult const* result, std::string_view sql) {
  if (PQstatus(connection) != CONNECTION_OK)
    return {Code::unavailable, "the connection to PostgreSQL broke; try again when it is back"};
  auto what = field(result, PG_DIAG_MESSAGE_PRIMARY);
  auto const position = text::parse_int(field(result, PG_DIAG_STATEMENT_POSITION));
  if (position && *position > 0 && static_cast<std::size_t>(*position) <= sql.size())
    what += fmt::format(" (line {})", 1 + std::count(sql.begin(), sql.begin() + *position, '\n'));
  return {code_of(field(result, PG_DIAG_SQLSTATE)), fmt::format("PostgreSQL: {}", what)};
}

// The parser's own message could repeat a password, so it is not passed on.
Result<Options> parse_url(Secret<std::string> const& url) {
  char* message = nullptr;
  Options options(PQconninfoParse(url.reveal().c_str(), &message), &PQconninfoFree);
  PQfreemem(message);
  if (!options)
    return Error{Code::invalid,
                 "the database URL cannot be read; write it as "
                 "postgresql://user:password@host:5432/name"};
  return options;
}

std::string percent_encoded(std::string_view value) {
  std::string out;
  for (unsigned char const c : value) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return out;
}

Rows rows_of(PGresult const* result) {
  Rows rows(static_cast<std::size_t>(PQntuples(result)));
  for (int i = 0; i < PQntuples(result); ++i) {
    for (int k = 0; k < PQnfields(result); ++k) {
      auto& row = rows[static_cast<std::size_t>(i)];
      if (PQgetisnull(result, i, k)) {
        row.emplace_back(std::nullopt);
      } else {
        row.emplace_back(PQgetvalue(result, i, k));
      }
    }
  }
  return rows;
}

}  // namespace

void Session::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Result<Session> Session::open(Secret<std::string> const& url) {
  if (auto const options = parse_url(url); !options) return options.error();
  std::array<char const*, 4> const names{"dbname", "connect_timeout", "application_name", nullptr};
  std::array<char const*, 4> const values{url.reveal().c_str(), "10", "lepton", nullptr};
  Session session(PQconnectdbParams(names.data(), values.data(), 1));
  auto* connection = session.connection_.get();
  if (PQstatus(connection) != CONNECTION_OK) {
    auto const reason = std::string(text::trim(PQerrorMessage(connection)));
    auto const denied = reason.find("authentication failed") != reason.npos;
    return Error{denied ? Code::denied : Code::unavailable,
                 fmt::format("cannot connect to PostgreSQL: {}", reason)};
  }
  PQsetNoticeProcessor(
      connection, [](void*, char const*) {}, nullptr);
  return session;
}

Result<Rows> Session::query(Statement const& statement) {
  auto* connection = connection_.get();
  std::vector<char const*> values;
  for (auto const& parameter : statement.parameters) values.push_back(parameter.c_str());
  auto const& sql = statement.sql;
  auto* raw = values.empty()
                  ? PQexec(connection, sql.c_str())
                  : PQexecParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                 values.data(), nullptr, nullptr, 0);
  ResultHolder const result(raw, &PQclear);
  auto const status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK) return rows_of(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) return Rows{};
  return error_of(connection, result.get(), sql);
}

Status Session::execute(std::string const& sql) {
  auto result = query({sql, {}});
  return result ? ok() : Status(result.error());
}

Status Session::transaction(std::vector<Statement> const& statements) {
  auto status = execute("BEGIN");
  for (auto const& statement : statements) {
    if (!status) break;
    auto result = query(statement);
    if (!result) status = result.error();
  }
  if (status) return execute("COMMIT");
  (void)execute("ROLLBACK");  // the first error is the one to tell
  return status;
}

Status Session::create_database(std::string const& name) {
  auto found = query({"SELECT 1 FROM pg_database WHERE datname = $1", {name}});
  if (!found) return found.error();
  return found->empty() ? execute("CREATE DATABASE " + identifier(name)) : ok();
}

int Session::server_major() const {
  return PQserverVersion(connection_.get()) / 10'000;
}

std::string identifier(std::string_view name) {
  std::string out = "\"";
  for (char const c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string session_url(std::filesystem::path const& socket, std::string_view role,
                        std::string_view database) {
  return fmt::format("postgresql:///{}?host={}&user={}", percent_encoded(database),
                     percent_encoded(socket.string()), percent_encoded(role));
}

Result<Secret<std::string>> url_for(Secret<std::string> const& url, std::string_view role,
                                    Secret<std::string> const& password) {
  auto const options = parse_url(url);
  if (!options) return options.error();
  auto out = fmt::format("postgresql:///?user={}&password={}", percent_encoded(role),
                         percent_encoded(password.reveal()));
  for (auto const* option = options->get(); option->keyword != nullptr; ++option) {
    std::string_view const name = option->keyword;
    if (option->val == nullptr || name == "user" || name == "password") continue;
    out += fmt::format("&{}={}", name, percent_encoded(option->val));
  }
  return Secret<std::string>(std::move(out));
}

Result<std::vector<std::string>> environment_for(Secret<std::string> const& url) {
  auto const options = parse_url(url);
  if (!options) return options.error();
  std::vector<std::string> out{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  for (auto const* option = options->get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || option->envvar == nullptr) continue;
    out.push_back(fmt::format("{}={}", option->envvar, option->val));
  }
  return out;
}

}  // namespace lepton::postgres
