#include "common/service/service.hpp"

#include <unistd.h>

#include <bit>
#include <cstdio>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"
#include "common/crypto/entropy.hpp"
#include "common/service/access_watch.hpp"
#include "common/service/logging.hpp"
#include "common/service/loop.hpp"
#include "common/service/metrics_page.hpp"
#include "common/service/metrics_server.hpp"
#include "common/service/thread_worker.hpp"
#include "common/service/token_gate.hpp"
#include "common/store/lease.hpp"
#include "common/store/postgres_store.hpp"

namespace lepton::service {
namespace {

bus::BusSettings bus_settings(Config const& config, bus::KeyPair keys) {
  bus::BusSettings settings;
  settings.name = config.service;
  settings.keys = std::move(keys);
  settings.peer_endpoint = config.peer_endpoint;
  settings.client_endpoint = config.client_endpoint;
  settings.hint_endpoint = config.hint_endpoint;
  for (auto const& peer : config.peers)
    if (peer.name != config.service)
      settings.peers.push_back(
          {peer.name, peer.request_endpoint, peer.hint_endpoint, peer.public_key});
  return settings;
}

// Requests, answers and hints from the bus to the actors; clients are identified here.
class Reception final : public bus::Sink {
 public:
  Reception(bus::Bus& bus, TokenGate& gate, actor::System& system, Clock const& clock)
      : bus_(bus), gate_(gate), system_(system), clock_(clock) {}

  void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                  std::string body) override {
    actor::Request request;
    request.route = std::move(route);
    if (door == actor::Door::peer) {
      request.caller = {door, bus_.peer_of(key), std::move(key), {}, {}};
    } else {
      auto caller = gate_.identify(header.token, key, clock_.wall_ms());
      header.token.clear();
      if (!caller) return refuse(request.route, header, caller.error());
      request.caller = std::move(*caller);
    }
    request.header = std::move(header);
    request.body = std::move(body);
    system_.deliver_request(std::move(request));
  }
  void on_answer(std::string const& peer, Header header, std::string body) override {
    system_.deliver_reply(peer, header, std::move(body));
  }
  void on_hint(std::string const&, Hint hint) override { system_.deliver_hint(hint); }

 private:
  void refuse(actor::Route const& route, Header const& header, Error const& error) {
    Refusal refusal{error.code, error.what};
    if (error.code == Code::unavailable) refusal.retry_after_ms = 500;
    if (error.code == Code::not_found) refusal.code = Code::denied, refusal.token_wanted = true;
    bus_.answer(route, {.kind = Kind::refusal, .topic = header.topic, .id = header.id},
                codec::encode(refusal));
  }
  bus::Bus& bus_;
  TokenGate& gate_;
  actor::System& system_;
  Clock const& clock_;
};

Result<Secret<std::string>> database_url(Config const& config) {
  auto text = read_small_file(config.database_url_file);
  if (!text) return text.error();
  return Secret<std::string>(std::string(text::trim(*text)));
}

// Null where the settings name no place.
Result<std::unique_ptr<MetricsServer>> open_metrics(Config const& config) {
  if (config.metrics_endpoint.empty()) return std::unique_ptr<MetricsServer>();
  return MetricsServer::open(config.metrics_endpoint);
}

std::function<void()> publishing(MetricsServer* server, actor::System const& system,
                                 bus::Bus const& bus) {
  if (server == nullptr) return {};
  auto page = std::make_shared<MetricsPage>();
  return [=, &system, &bus] {
    page->take(system);
    page->take_bus(bus.counters());
    page->take_process();
    server->publish(page->render());
  };
}

std::string holder_name() {
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  return std::string(host) + " pid " + std::to_string(getpid());
}

int run_with(ServiceSpec const& spec, Config const& config) {
  auto keys = bus::read_keys(config.keys_file);
  if (!keys) return fail(spec.name, keys.error());
  auto url = database_url(config);
  if (!url) return fail(spec.name, url.error());
  auto lease = store::acquire_lease({*url, spec.name, holder_name()});
  if (!lease) return fail(spec.name, lease.error());

  auto metrics = open_metrics(config);
  if (!metrics) return fail(spec.name, metrics.error());
  auto opened = bus::Bus::open(bus_settings(config, std::move(*keys)));
  if (!opened) return fail(spec.name, opened.error());
  auto& bus = **opened;
  Inbox inbox([&bus] { bus.wake(); });
  SystemClock const clock;
  store::PostgresSettings store_settings{.database_url = *url, .schema = spec.name};
  store_settings.lease_epoch = (*lease)->epoch();
  store_settings.post = [&inbox](std::function<void()> task) { inbox.push(std::move(task)); };
  store::PostgresStore store(std::move(store_settings));
  if (auto connected = store.connect(); !connected) return fail(spec.name, connected.error());

  ThreadWorker worker(4, inbox);
  TokenGate gate;
  crypto::SystemEntropy entropy;
  Chance chance(std::bit_cast<std::uint64_t>(entropy.array<8>()));
  actor::Ports const ports{clock,  store,   bus,    gate,
                           worker, entropy, chance, make_log(config.log_level)};
  actor::System system({.service = spec.name}, ports);
  system.add(spec.name, spec.make(config), spec.host);
  actor::HostSettings watch;
  watch.durable = false;
  watch.streams.clear();
  auto const update = [&gate](AccessSnapshot rules) { return gate.update(std::move(rules)); };
  system.add(
      "access", [update] { return std::make_unique<AccessWatch>(update); }, watch);
  Reception reception(bus, gate, system, clock);
  system.start();
  ports.log(actor::Level::info, spec.name + ": serves at " + config.client_endpoint);
  auto const status =
      serve(system, bus, inbox, reception, clock, publishing(metrics->get(), system, bus));
  if (auto const why = system.gave_up()) return fail(spec.name, {Code::internal, *why});
  ports.log(actor::Level::info, spec.name + ": stopped");
  return status;
}

}  // namespace

int run(ServiceSpec const& spec, int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--config") {
    std::fprintf(
        stderr,
        "usage: lepton-%s --config FILE\n\nOne service of the suite; `lepton up` starts them "
        "all.\nexample: lepton-%s --config /var/lib/lepton/%s.yaml\n",
        spec.name.c_str(), spec.name.c_str(), spec.name.c_str());
    return argc == 2 && std::string(argv[1]) == "--help" ? 0 : 2;
  }
  harden();
  catch_signals();
  auto config = read_config(argv[2]);
  if (!config) return fail(spec.name, config.error());
  if (config->service != spec.name)
    return fail(spec.name, {Code::invalid, std::string(argv[2]) + " is for " + config->service});
  return run_with(spec, *config);
}

}  // namespace lepton::service
