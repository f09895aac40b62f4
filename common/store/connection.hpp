#pragma once
// Connection: one libpq connection of a store thread, with an end to every wait. libpq rather than
// libpqxx, because it sends a whole transaction in one round trip, never reconnects behind our back
// and says at which point a connection broke. One thread owns it. Times in ms. Errors: Failure
// (below); no exceptions. Error texts hold PostgreSQL's primary message, never a row.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/store/sql.hpp"

struct pg_conn;
struct pg_result;

namespace lepton::store {

struct Target {
  Secret<std::string> database_url;  // its own options win over the keepalives set here
  std::string schema;
  std::string application;  // shown in pg_stat_activity
  TimeMs connect_limit_ms = 2'000;
  TimeMs statement_limit_ms = 10'000;  // the server's limit for one statement
  TimeMs lock_limit_ms = 5'000;
  bool keyed_only = false;  // this connection only touches rows by key
};

struct Failure {
  bool lost = false;     // the connection is gone: what was sent may have taken effect
  std::string sqlstate;  // five characters, empty when lost without a word
  std::string what;
  std::size_t statement = 0;  // index of the one that failed in what was sent
};

using Failed = std::optional<Failure>;

class Connection {
 public:
  // Waits up to connect_limit_ms; refuses a server that could lose what it acknowledged.
  static Result<std::unique_ptr<Connection>> open(Target const& target);

  // Statements of the simple protocol in one round trip. Each COPY FROM takes the next of `copies`.
  Failed run(std::string const& statements, std::vector<std::string> const& copies = {});

  // Statements of which some are COPY TO: `line` hears each line with the index of its COPY.
  using Line = std::function<void(std::size_t, std::string_view)>;
  Failed read(std::string const& statements, Line const& line);

  // One statement; `rows`, when given, receives its rows.
  Failed query(std::string const& statement, sql::Values const& values,
               std::vector<sql::Values>* rows = nullptr);

  // Makes `name` known to the server unless this connection did so before.
  Failed prepare(std::string const& name, std::string const& statement);

  struct Call {
    std::string prepared;   // a name, or empty when `statement` is the text
    std::string statement;  // a statement without parameters
    sql::Values values;
  };
  // All in one round trip; after a failure the rest is not executed.
  Failed pipeline(std::vector<Call> const& calls);

  // False when the server has closed the connection in the meantime.
  bool alive();
  // True when the order of text in the database is not the order of bytes.
  bool needs_byte_order() const { return needs_byte_order_; }

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using ResultPtr = std::unique_ptr<pg_result, Clear>;

  Connection(pg_conn* raw, Target const& target);
  Status set_up(Target const& target);
  Status refuse_unsafe();
  bool wait(bool for_write);  // false when the time is over or the connection broke
  bool flush();
  ResultPtr next_result();
  Failed send_copy(std::string const& data);
  Failed receive_copy(std::size_t index, Line const& line);
  Failed collect(std::vector<std::string> const* copies, Line const* line);
  Failed collect_pipeline(std::size_t calls);
  Failure lost(std::string_view doing);
  Failure failure_of(pg_result const* result, std::size_t statement);

  std::unique_ptr<pg_conn, Close> raw_;
  std::set<std::string> prepared_;
  TimeMs answer_limit_ms_;  // silence longer than this counts as a lost connection
  bool needs_byte_order_ = false;
  bool gave_up_ = false;
};

}  // namespace lepton::store
