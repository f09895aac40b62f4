#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "bench/messaging/durable.hpp"
#include "common/actor/rows.hpp"
#include "common/codec/msgpack.hpp"
#include "common/store/row.hpp"
#include "common/store/sql.hpp"

namespace lepton::bench {
namespace {

using Steady = std::chrono::steady_clock;

struct Group {
  std::string request, event, item;  // COPY data
  int changes = 0;
};

template <store::Row T>
void add_line(std::string& out, T const& row) {
  store::sql::add_copy_line(out, store::to_cells(row));
}

// The rows that the runtime would write for this change.
void add_change(Group& group, std::int64_t number) {
  auto const item = item_of(number);
  auto const id = std::to_string(10'000'000'000'000'000 + number);
  auto const now = SystemClock().wall_ms();
  AuditEvent const event{
      now, "anna", std::string(ItemPut::topic), item_resource, AuditOutcome::done, id, {}};
  add_line(group.request, actor::RequestRow{"anna", id, Bytes{std::string(32, 'h')},
                                            Bytes{codec::encode(ItemStored{item.item})}, now});
  add_line(group.event, actor::EventRow{"audit", number + 1, std::string(AuditEvent::topic),
                                        Bytes{codec::encode(event)}, now});
  add_line(group.item, item);
  ++group.changes;
}

std::vector<Group> make_groups(std::int64_t first, int changes, double group_items) {
  auto const size = std::max(1, static_cast<int>(std::lround(group_items)));
  std::vector<Group> groups;
  for (int i = 0; i < changes; ++i) {
    if (i % size == 0) groups.emplace_back();
    add_change(groups.back(), first + i);
  }
  return groups;
}

class Connection {
 public:
  explicit Connection(Secret<std::string> const& url) : raw_(PQconnectdb(url.reveal().c_str())) {
    check(PQstatus(raw_) == CONNECTION_OK);
    insert_ = std::string("INSERT INTO ") + bare_schema + ".item VALUES ($1, $2, $3, $4, $5)";
    auto* result = PQprepare(raw_, "insert", insert_.c_str(), 5, nullptr);
    check(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
    transaction_ = "BEGIN";
    for (auto const* table : {&store::table_of<actor::RequestRow>(),
                              &store::table_of<actor::EventRow>(), &store::table_of<ItemRow>()})
      transaction_ += "; " + store::sql::copy_in(bare_schema, *table);
    transaction_ += "; COMMIT";
  }
  ~Connection() { PQfinish(raw_); }
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  void insert(ItemRow const& row) {
    auto const gpus = std::to_string(row.gpus), queued = std::to_string(row.queued_at_ms);
    char const* const values[]{row.item.c_str(), row.owner.c_str(), gpus.c_str(), queued.c_str(),
                               row.note.c_str()};
    auto* result = PQexecPrepared(raw_, "insert", 5, values, nullptr, nullptr, 0);
    check(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }

  // One round trip: everything is one string of statements, whose COPY data follow.
  void copy(Group const& group) {
    check(PQsendQuery(raw_, transaction_.c_str()) == 1);
    std::string const* const data[]{&group.request, &group.event, &group.item};
    std::size_t next = 0;
    while (auto* result = PQgetResult(raw_)) {
      auto const status = PQresultStatus(result);
      PQclear(result);
      if (status == PGRES_COPY_IN)
        put(*data[next++]);
      else
        check(status == PGRES_COMMAND_OK);
    }
    check(next == std::size(data));
  }

 private:
  void put(std::string const& lines) {
    check(PQputCopyData(raw_, lines.data(), static_cast<int>(lines.size())) == 1 &&
          PQputCopyEnd(raw_, nullptr) == 1);
  }
  void check(bool good) { require(good, good ? "" : PQerrorMessage(raw_)); }

  pg_conn* raw_;
  std::string insert_, transaction_;
};

}  // namespace

void no_server(Load const&, Shared& shared) {
  shared.ready = true;
  while (true) ::pause();
}

void bare_database(Secret<std::string> const& url, Load const& load, Shared& shared) {
  Connection connection(url);
  std::int64_t number = 0;
  measure_rtt(load, shared, [&] { connection.insert(item_of(number++)); });
  auto const groups = make_groups(number, load.pipelined_count, shared.group_items);
  auto const begin = Steady::now();
  for (auto const& group : groups) connection.copy(group);
  shared.pipelined_rps =
      load.pipelined_count / std::chrono::duration<double>(Steady::now() - begin).count();
}

}  // namespace lepton::bench
