#include <chrono>

#include "bench/messaging/durable.hpp"
#include "common/actor/system.hpp"
#include "common/crypto/entropy.hpp"
#include "common/service/loop.hpp"
#include "common/service/thread_worker.hpp"
#include "common/service/token_gate.hpp"
#include "common/store/lease.hpp"
#include "common/store/postgres_store.hpp"

namespace lepton::bench {
namespace {

using Steady = std::chrono::steady_clock;

class Items final : public actor::Actor {
 public:
  Items() { on<ItemPut>(&Items::put); }

 private:
  Result<ItemStored> put(ItemPut const& m, actor::Context& c) {
    c.append(m.item);
    return ItemStored{m.item.item};
  }
};

// Passes everything on, and counts what is committed.
class CountingStore final : public store::Store {
 public:
  CountingStore(store::Store& store, Shared& shared) : store_(store), shared_(shared) {}
  void commit(store::Batch batch, Committed done) override {
    shared_.commits += 1;
    shared_.rows += static_cast<std::int64_t>(batch.changes.size());
    store_.commit(std::move(batch), std::move(done));
  }
  void load(std::vector<store::Table const*> tables, Loaded done) override {
    store_.load(std::move(tables), std::move(done));
  }
  void find(store::Query query, Found done) override {
    store_.find(std::move(query), std::move(done));
  }

 private:
  store::Store& store_;
  Shared& shared_;
};

// Clients are identified here, as by every service.
class Reception final : public bus::Sink {
 public:
  Reception(service::TokenGate& gate, actor::System& system) : gate_(gate), system_(system) {}
  void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                  std::string body) override {
    require(door == actor::Door::client, "a request at the wrong door");
    auto caller = gate_.identify(header.token, key, clock_.wall_ms());
    require(bool(caller), caller ? "" : caller.error().what);
    header.token.clear();
    actor::Request request;
    request.caller = std::move(*caller);
    request.route = std::move(route);
    request.header = std::move(header);
    request.body = std::move(body);
    system_.deliver_request(std::move(request));
  }
  void on_answer(std::string const& peer, Header header, std::string body) override {
    system_.deliver_reply(peer, header, std::move(body));
  }
  void on_hint(std::string const&, Hint hint) override { system_.deliver_hint(hint); }

 private:
  service::TokenGate& gate_;
  actor::System& system_;
  SystemClock clock_;
};

void log_problem(actor::Level level, std::string const& text) {
  if (level >= actor::Level::warning) std::fprintf(stderr, "%s\n", text.c_str());
}

// Sends `count` changes with a full window, and waits for all answers.
double send_all(bus::Client& client, std::int64_t first, int count) {
  int got = 0;
  auto const done = [&](Result<ItemStored> const& answer) {
    require(bool(answer), answer ? "" : answer.error().what);
    ++got;
  };
  auto const begin = Steady::now();
  for (int sent = 0; got < count; client.pump(1000))
    for (; sent < count && client.room() > 0; ++sent)
      require(bool(client.submit<ItemPut>({item_of(first + sent)}, done)), "submit");
  return count / std::chrono::duration<double>(Steady::now() - begin).count();
}

}  // namespace

ItemRow item_of(std::int64_t number) {
  ItemRow item;
  item.item = "0190b1c2-7f3a-7abc-8def-" + std::to_string(100'000'000'000 + number);
  item.owner = "anna";
  return item;
}

void durable_server(Secret<std::string> const& url, Load const& load, Shared& shared) {
  auto const lease = store::acquire_lease({url, our_schema, "bench"});
  require(bool(lease), lease ? "" : lease.error().what);
  auto const bus = open_bus(server_settings(load, shared));
  service::Inbox inbox([&bus] { bus->wake(); });
  SystemClock const clock;
  store::PostgresSettings settings{.database_url = url, .schema = our_schema};
  settings.lease_epoch = (*lease)->epoch();
  settings.post = [&inbox](std::function<void()> task) { inbox.push(std::move(task)); };
  store::PostgresStore postgres(std::move(settings));
  auto const connected = postgres.connect();
  require(bool(connected), connected ? "" : connected.error().what);
  CountingStore store(postgres, shared);

  service::ThreadWorker worker(1, inbox);
  service::TokenGate gate;
  require(bool(gate.update(access_rules())), "access rules");
  crypto::SystemEntropy entropy;
  Chance chance(1);
  actor::Ports const ports{clock, store, *bus, gate, worker, entropy, chance, log_problem};
  actor::System actors({.service = "bench"}, ports);
  actors.add("bench", [] { return std::make_unique<Items>(); }, {});
  Reception reception(gate, actors);
  actors.start();
  shared.ready = true;
  service::serve(actors, *bus, inbox, reception, clock);
}

void durable_client(Load const& load, Shared& shared) {
  auto client = connect_client(load, shared);
  std::int64_t number = 0;
  measure_rtt(load, shared, [&] {
    auto const answer = client.call(ItemPut{item_of(number++)});
    require(bool(answer), answer ? "" : answer.error().what);
  });
  std::int64_t const commits = shared.commits, rows = shared.rows;
  shared.pipelined_rps = send_all(client, number, load.pipelined_count);
  require(shared.rows - rows == std::int64_t{rows_per_change} * load.pipelined_count,
          "another number of rows was committed than the changes have");
  shared.group_items = load.pipelined_count / static_cast<double>(shared.commits - commits);
}

}  // namespace lepton::bench
