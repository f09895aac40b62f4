// The figures that need a database: durable_rtt_p50_us, bare_commit_p50_us, durable_rps,
// bare_group_commit_rps. Ours and libpq alone take turns on one server, whose processes have the
// same priority as theirs; before each turn the tables are emptied and the server's log is flushed.

#include "bench/messaging/durable.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <vector>

#include "bench/database/database.hpp"
#include "common/postgres/session.hpp"

namespace lepton::bench {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Series {
  std::vector<double> rtt_us, rps;
  void note(Shared const& shared) {
    rtt_us.push_back(shared.rtt_p50_us);
    rps.push_back(shared.pipelined_rps);
  }
};

void leave_real_time() {
  sched_param const parameter{};
  ::sched_setscheduler(0, SCHED_OTHER, &parameter);
}

std::unique_ptr<Database> start_database() {
  use_real_time();
  auto database = Database::start();
  leave_real_time();
  require(bool(database), database ? "" : database.error().what);
  return std::move(*database);
}

void empty_tables(postgres::Session& session) {
  std::string sql = "TRUNCATE ";
  for (auto const* schema : {our_schema, bare_schema})
    for (auto const* table : {"request", "event", "cursor", "stream", "item"})
      sql += fmt::format("{}{}.{}", sql.back() == ' ' ? "" : ", ", schema, table);
  for (auto const& statement : {sql, std::string("CHECKPOINT")}) {
    auto const done = session.execute(statement);
    require(bool(done), done ? "" : done.error().what);
  }
}

}  // namespace

std::string durable_fields(std::string const& database_url, bool quick) {
  auto const own = database_url.empty() ? start_database() : nullptr;
  auto const url = own ? own->url() : Secret<std::string>(database_url);
  auto const created =
      create_schemas(url, {{our_schema, item_definition}, {bare_schema, item_definition}});
  require(bool(created), created ? "" : created.error().what);
  auto session = postgres::Session::open(url);
  require(bool(session), session ? "" : session.error().what);

  Load load;
  load.rtt_warm = 50;
  load.rtt_count = quick ? 300 : 1'000;
  load.pipelined_count = quick ? 10'000 : 40'000;
  auto& shared = create_shared();
  Series ours, bare;
  std::vector<double> groups;
  int const rounds = quick ? 5 : 7;
  for (int round = 1; round <= rounds; ++round) {
    empty_tables(*session);
    run_pair([&](auto const& l, auto& s) { durable_server(url, l, s); }, durable_client, load,
             shared);
    ours.note(shared);
    groups.push_back(shared.group_items);
    empty_tables(*session);
    run_pair(
        no_server, [&](auto const& l, auto& s) { bare_database(url, l, s); }, load, shared);
    bare.note(shared);
    fmt::print(
        "durable round {}: rtt us ours {:.0f} bare {:.0f} | changes/s ours {:.0f} bare {:.0f} | "
        "{:.0f} changes a transaction\n",
        round, ours.rtt_us.back(), bare.rtt_us.back(), ours.rps.back(), bare.rps.back(),
        groups.back());
    std::fflush(stdout);
  }
  fmt::print("ours / bare: durable rtt {:.2f}, durable rate {:.2f}\n",
             median(ours.rtt_us) / median(bare.rtt_us), median(ours.rps) / median(bare.rps));
  return fmt::format(
      ", \"durable_rtt_p50_us\": {:.1f}, \"bare_commit_p50_us\": {:.1f}, \"durable_rps\": {:.0f}, "
      "\"bare_group_commit_rps\": {:.0f}, \"durable_ratio\": {:.3f}, \"durable_group\": {:.0f}",
      median(ours.rtt_us), median(bare.rtt_us), median(ours.rps), median(bare.rps),
      median(ours.rps) / median(bare.rps), median(groups));
}

}  // namespace lepton::bench
