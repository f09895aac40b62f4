// Our side: Bus and Client with all promises on: gatekeeper, headers, ids, deadlines, resending,
// and for each request a check of its token and of its policy.

#include <chrono>

#include "bench/messaging/parties.hpp"
#include "bench/messaging/side.hpp"
#include "common/bus/access/verifier.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton::bench {
namespace {

using Clock = std::chrono::steady_clock;

class Echo final : public bus::Sink {
 public:
  Echo() : path_(*access::ResourcePath::parse(item_resource)) {
    require(bool(verifier_.update(access_rules())), "access rules");
  }
  void on_request(actor::Door, std::string key, actor::Route route, Header header,
                  std::string body) override {
    auto const claims = verifier_.check(header.token, key, clock_.wall_ms());
    require(bool(claims), claims ? "" : claims.error().what);
    require(bool(verifier_.authorize(**claims, path_, Verb::run)), "denied");
    auto const sample = codec::decode<Sample>(body);
    require(bool(sample), "decode");
    Header reply;
    reply.kind = Kind::reply;
    reply.topic = std::move(header.topic);
    reply.id = std::move(header.id);
    bus->answer(route, reply, codec::encode(*sample));
  }
  void on_answer(std::string const&, Header, std::string) override {}
  void on_hint(std::string const&, Hint hint) override {
    ++hints;
    head = hint.head;
  }

  bus::Bus* bus = nullptr;
  std::int64_t hints = 0, head = 0;

 private:
  SystemClock clock_;
  access::TokenVerifier verifier_;
  access::ResourcePath path_;
};

}  // namespace

void our_server(Load const& load, Shared& shared) {
  Echo echo;
  auto const bus = open_bus(server_settings(load, shared));
  echo.bus = bus.get();
  shared.ready = true;
  while (true) bus->poll(echo, -1);
}

void our_client(Load const& load, Shared& shared) {
  auto client = connect_client(load, shared);
  Sample const sample;
  measure_rtt(load, shared, [&] {
    auto const answer = client.call(sample);
    require(bool(answer), answer ? "" : answer.error().what);
  });
  int got = 0;
  auto const done = [&](Result<Sample> answer) {
    require(bool(answer), answer ? "" : answer.error().what);
    ++got;
  };
  auto const begin = Clock::now();
  for (int sent = 0; got < load.pipelined_count; client.pump(1000))
    for (; sent < load.pipelined_count && client.room() > 0; ++sent)
      require(bool(client.submit(sample, done)), "submit");
  shared.pipelined_rps =
      load.pipelined_count / std::chrono::duration<double>(Clock::now() - begin).count();
}

void our_publisher(Load const& load, Shared& shared) {
  bus::BusSettings settings;
  settings.name = "bench";
  settings.keys = server_keys();
  settings.hint_endpoint = shared.endpoint;
  settings.limits.receive_queue_max = settings.limits.send_queue_max = load.queue;
  settings.peers.push_back({"reader", "", "", client_keys().public_key});
  Echo echo;
  auto const bus = open_bus(std::move(settings));
  shared.ready = true;
  std::int64_t i = 0;
  while (shared.received == 0) {
    bus->publish({"bench", "stream", 1, ++i});
    bus->poll(echo, 1);
  }
  Pace const pace(load, shared);
  while (true) {
    pace.before(++i);
    bus->publish({"bench", "stream", 1, i});
  }
}

void our_subscriber(Load const& load, Shared& shared) {
  wait_ready(shared);
  bus::BusSettings settings;
  settings.name = "reader";
  settings.keys = client_keys();
  settings.limits.receive_queue_max = settings.limits.send_queue_max = load.queue;
  settings.peers.push_back({"bench", "", shared.endpoint, server_keys().public_key});
  Echo echo;
  auto const bus = open_bus(std::move(settings));
  while (echo.hints == 0) bus->poll(echo, -1);
  auto const begin = Clock::now();
  auto const first = echo.hints;
  while (echo.hints - first < load.pubsub_count) {
    shared.received = echo.head;
    bus->poll(echo, -1);
  }
  shared.pubsub_mps =
      double(echo.hints - first) / std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace lepton::bench
