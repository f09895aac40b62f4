#include "common/store/postgres_store.hpp"

#include <fmt/format.h>

#include <future>

#include "common/store/check.hpp"
#include "common/store/worker.hpp"
#include "common/store/writer.hpp"

namespace lepton::store {
namespace {

Target target_of(PostgresSettings const& settings, std::string_view role, bool keyed_only) {
  return {settings.database_url,
          settings.schema,
          fmt::format("lepton {} {}", settings.schema, role),
          settings.connect_limit_ms,
          settings.statement_limit_ms,
          settings.lock_limit_ms,
          keyed_only};
}

Error error_of(Failure const& failure) {
  bool const away = failure.lost || failure.sqlstate.substr(0, 2) == "57" ||
                    failure.sqlstate.substr(0, 2) == "53";
  return {away ? Code::unavailable : Code::internal, failure.what};
}

Error odd_row(Table const& table) {
  return {Code::internal,
          fmt::format("a row of table '{}' does not have the shape that the program "
                      "expects; do the migrations belong to this version",
                      table.name)};
}

// One snapshot over all tables.
std::string load_statements(std::string_view schema, LoadViews const& views,
                            std::vector<Table const*> const& tables) {
  std::string out =
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0";
  for (auto const* table : tables) {
    auto const view = views.find(std::string(table->name));
    out += "; " + sql::copy_out(schema, *table, view == views.end() ? "" : view->second);
  }
  return out + "; COMMIT";
}

Failed load_rows(Connection& connection, std::string const& statements,
                 std::vector<Table const*> const& tables,
                 Result<std::vector<std::vector<Cells>>>& out) {
  std::vector<std::vector<Cells>> all(tables.size());
  Table const* odd = nullptr;
  auto const failed = connection.read(statements, [&](std::size_t i, std::string_view line) {
    auto cells = sql::read_copy_line(line, *tables[i]);
    if (cells)
      all[i].push_back(std::move(*cells));
    else
      odd = tables[i];
  });
  if (failed) {
    out = error_of(*failed);
    if (!failed->lost) (void)connection.run("ROLLBACK");
  } else if (odd != nullptr) {
    out = odd_row(*odd);
  } else {
    out = std::move(all);
  }
  return failed;
}

Result<std::vector<Cells>> read_rows(Table const& table, std::vector<sql::Values> const& rows) {
  std::vector<Cells> out;
  for (auto const& row : rows) {
    auto& cells = out.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto cell = sql::from_text(row[i], table.columns[i].type);
      if (!cell) return odd_row(table);
      cells.push_back(std::move(*cell));
    }
  }
  return out;
}

Failed find_rows(Connection& connection, std::string_view schema, Query const& query,
                 Result<std::vector<Cells>>& out) {
  std::vector<sql::Values> rows;
  auto const failed = connection.query(sql::find(schema, query, connection.needs_byte_order()),
                                       sql::find_values(query), &rows);
  if (failed)
    out = error_of(*failed);
  else
    out = read_rows(*query.table, rows);
  return failed;
}

// Reading again is harmless: once more on a fresh connection when the first one broke.
void read_twice(Worker& worker, std::function<Failed(Connection&)> const& read) {
  auto failed = read(*worker.connection());
  if (!failed || !failed->lost) return;
  if (worker.reopen(0)) failed = read(*worker.connection());
  if (failed && failed->lost) worker.drop();
}

Status wait_for(Worker& worker) {
  std::promise<Status> answer;
  worker.give(
      {[&](Worker&) { answer.set_value(ok()); }, [&](Error const& why) { answer.set_value(why); }});
  return answer.get_future().get();
}

}  // namespace

PostgresStore::PostgresStore(PostgresSettings settings)
    : post_(settings.post), schema_(settings.schema), load_views_(settings.load_views) {
  writer_ =
      std::make_unique<Writer>(WriterSettings{target_of(settings, "writer", true), settings.marker,
                                              settings.lease_epoch, settings.settle_limit_ms});
  auto const seed = std::hash<std::string>{}(settings.schema + settings.marker);
  write_ = std::make_unique<Worker>([w = writer_.get()] { return w->open(); }, seed);
  read_ = std::make_unique<Worker>(
      [target = target_of(settings, "reader", false)] { return Connection::open(target); },
      seed + 1);
}

PostgresStore::~PostgresStore() {
  read_.reset();
  write_.reset();
}

Status PostgresStore::connect() {
  if (auto good = wait_for(*write_); !good) return good;
  return wait_for(*read_);
}

void PostgresStore::commit(Batch batch, Committed done) {
  auto const rows = std::make_shared<Batch>(std::move(batch));
  // The rows are freed on the thread that made them.
  auto answer = [post = post_, done = std::move(done), rows](CommitResult result) {
    post([done, rows, result = std::move(result)] { done(result); });
  };
  if (rows->changes.empty()) return answer({});
  if (auto why = why_unwritable(*rows)) return answer({Outcome::rejected, *why});
  auto* writer = writer_.get();
  write_->give({[writer, answer, pointer = rows.get()](Worker& worker) {
                  answer(writer->commit(worker, *pointer));
                },
                [writer, answer](Error const& why) {
                  answer({writer->fenced() ? Outcome::fenced : Outcome::unavailable, why.what});
                }});
}

void PostgresStore::load(std::vector<Table const*> tables, Loaded done) {
  auto answer = [post = post_,
                 done = std::move(done)](Result<std::vector<std::vector<Cells>>> rows) {
    post([done, rows = std::make_shared<decltype(rows)>(std::move(rows))] {
      done(std::move(*rows));
    });
  };
  auto statements = load_statements(schema_, load_views_, tables);
  read_->give(
      {[statements = std::move(statements), tables = std::move(tables), answer](Worker& worker) {
         Result<std::vector<std::vector<Cells>>> rows = Error{};
         read_twice(worker, [&](Connection& c) { return load_rows(c, statements, tables, rows); });
         answer(std::move(rows));
       },
       [answer](Error const& why) { answer(why); }});
}

void PostgresStore::find(Query query, Found done) {
  auto answer = [post = post_, done = std::move(done)](Result<std::vector<Cells>> rows) {
    post([done, rows = std::make_shared<decltype(rows)>(std::move(rows))] {
      done(std::move(*rows));
    });
  };
  if (auto good = check_query(query); !good) return answer(good.error());
  read_->give({[schema = schema_, query = std::move(query), answer](Worker& worker) {
                 Result<std::vector<Cells>> rows = Error{};
                 read_twice(worker,
                            [&](Connection& c) { return find_rows(c, schema, query, rows); });
                 answer(std::move(rows));
               },
               [answer](Error const& why) { answer(why); }});
}

}  // namespace lepton::store
