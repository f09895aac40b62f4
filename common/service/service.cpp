#include "common/service/service.hpp"

#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"
#include "common/crypto/entropy.hpp"
#include "common/service/access_watch.hpp"
#include "common/service/lease_keeper.hpp"
#include "common/service/logging.hpp"
#include "common/service/loop.hpp"
#include "common/service/publishing.hpp"
#include "common/service/standby.hpp"
#include "common/service/thread_worker.hpp"
#include "common/service/token_gate.hpp"
#include "common/store/postgres_store.hpp"
#include "common/store/process_mark.hpp"

namespace lepton::service {
namespace {

std::vector<bus::PeerAddress> peers_of(Config const& config) {
  std::vector<bus::PeerAddress> peers;
  for (auto const& peer : config.peers)
    if (peer.name != config.service)
      peers.push_back({peer.name, peer.request_endpoint, peer.hint_endpoint, peer.public_key});
  return peers;
}

bus::BusSettings bus_settings(Config const& config, bus::KeyPair keys) {
  bus::BusSettings settings;
  settings.name = config.service;
  settings.keys = std::move(keys);
  settings.peer_endpoint = config.peer_endpoint;
  settings.client_endpoint = config.client_endpoint;
  settings.hint_endpoint = config.hint_endpoint;
  settings.peers = peers_of(config);
  return settings;
}

// Requests, answers and hints from the bus to the actors; clients are identified here. Who cannot
// confirm the lease refuses at once.
class Reception final : public bus::Sink {
 public:
  Reception(bus::Bus& bus, TokenGate& gate, actor::System& system, Clock const& clock,
            store::LeaseTerm const& lease)
      : bus_(bus), gate_(gate), system_(system), clock_(clock), lease_(lease) {}

  void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                  std::string body) override {
    if (lease_.at(clock_.now_ms()) != store::Hold::held)
      return refuse(route, header,
                    {Code::unavailable,
                     "the service waits for PostgreSQL, which must confirm that no other instance "
                     "has taken over (" +
                         lease_.why() + "); send the same request again in a moment"});
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
  store::LeaseTerm const& lease_;
};

Result<Secret<std::string>> database_url(Config const& config) {
  auto text = read_small_file(config.database_url_file);
  if (!text) return text.error();
  return Secret<std::string>(std::string(text::trim(*text)));
}

// Only the keys of peers change while a service runs; all else is read at its start.
void reload(std::string const& file, bus::Bus& bus, actor::Log const& log) {
  auto const config = read_config(file);
  auto const taken = config ? bus.set_peer_keys(peers_of(*config)) : Status(config.error());
  if (taken) return log(actor::Level::info, "the keys of peers were read again");
  log(actor::Level::error,
      "the settings were not taken, the earlier ones stay: " + taken.error().what);
}

std::string holder_name() {
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  return std::string(host) + " pid " + std::to_string(getpid());
}

// The ports of a predecessor that has just ended may be free a moment later: the kernel closes
// them after the last of its threads, and calls it gone before.
template <class Open>
auto open_port(Open const& open, LeaseKeeper const& keeper, Clock const& clock,
               actor::Log const& log) {
  constexpr TimeMs limit_ms = 5'000;
  auto const end = clock.now_ms() + limit_ms;
  for (bool said = false;;) {
    auto opened = open();
    auto const now = clock.now_ms();
    if (opened || opened.error().code == Code::invalid || now >= end || stop_was_asked())
      return opened;
    if (keeper.term().at(now) == store::Hold::lost) return opened;
    if (!std::exchange(said, true))
      log(actor::Level::info, "waits for a port: " + opened.error().what);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// At once, without destructors: no thread of ours may act or keep the ports any longer, and there
// is nothing to save that is not saved.
[[noreturn]] void end_replaced(std::string const& name, std::string const& why) {
  fail(name,
       {Code::conflict, "another instance has taken over (" + why +
                            "); this one has stopped and can be started again, as a standby"});
  std::_Exit(status_replaced);
}

// Everything from the first open door to the last message. A standby may have waited for long, and
// its keys may have been rotated meanwhile: settings and keys are those of this moment.
int act(ServiceSpec const& spec, std::string const& file, Secret<std::string> const& url,
        LeaseKeeper& keeper, Clock const& clock, actor::Log const& log) {
  auto const read = read_config(file);
  if (!read) return fail(spec.name, read.error());
  auto const& config = *read;
  auto keys = bus::read_keys(config.keys_file);
  if (!keys) return fail(spec.name, keys.error());
  auto metrics =
      open_port([&] { return open_metrics(config.metrics_endpoint); }, keeper, clock, log);
  if (!metrics) return fail(spec.name, metrics.error());
  auto const settings = bus_settings(config, std::move(*keys));
  auto opened = open_port([&] { return bus::Bus::open(settings); }, keeper, clock, log);
  if (!opened) return fail(spec.name, opened.error());
  auto& bus = **opened;
  Inbox inbox([&bus] { bus.wake(); });
  store::PostgresSettings store_settings{.database_url = url, .schema = spec.name};
  store_settings.lease_epoch = keeper.epoch();
  store_settings.load_views = spec.load_views;
  store_settings.post = [&inbox](std::function<void()> task) { inbox.push(std::move(task)); };
  store::PostgresStore store(std::move(store_settings));
  if (auto good = store.connect(); !good && good.error().code == Code::invalid)
    return fail(spec.name, good.error());  // else the actors wait for it

  ThreadWorker worker(4, inbox);
  TokenGate gate;
  crypto::SystemEntropy entropy;
  Chance chance(std::bit_cast<std::uint64_t>(entropy.array<8>()));
  actor::Ports const ports{clock, store, bus, gate, worker, entropy, chance, log};
  actor::System system({.service = spec.name}, ports);
  auto host = spec.host;
  host.standbys = [&keeper] { return keeper.standbys(); };
  system.add(spec.name, spec.make(config), std::move(host));
  actor::HostSettings watch;
  watch.durable = false;
  watch.streams.clear();
  auto const update = [&gate](AccessSnapshot rules) { return gate.update(std::move(rules)); };
  system.add(
      "access", [update] { return std::make_unique<AccessWatch>(update); }, watch);
  Reception reception(bus, gate, system, clock, keeper.term());
  system.start();
  log(actor::Level::info, spec.name + ": serves at " + config.client_endpoint);
  auto const publish = publishing(metrics->get(), system, bus);
  serve(system, bus, inbox, reception, clock, &keeper.term(), [&] {
    if (publish) publish();
    if (reload_was_asked()) reload(file, bus, log);
  });
  if (keeper.term().at(clock.now_ms()) == store::Hold::lost)
    end_replaced(spec.name, keeper.term().why());
  if (auto const why = system.gave_up()) {
    // A commit may hear of the new instance before the keeper of the lease does.
    if (keeper.ask_again(store::lease_valid_ms) == store::Hold::lost) end_replaced(spec.name, *why);
    return fail(spec.name, {Code::internal, *why});
  }
  log(actor::Level::info, spec.name + ": stopped");
  return 0;
}

int run_with(ServiceSpec const& spec, Config const& config, std::string const& file) {
  if (auto const keys = bus::read_keys(config.keys_file); !keys)
    return fail(spec.name, keys.error());
  auto url = database_url(config);
  if (!url) return fail(spec.name, url.error());
  static SystemClock const clock;
  auto const log = make_log(config.log_level);
  auto lease =
      wait_for_lease({*url, spec.name, holder_name(), store::mark_of_this_process()}, clock, log);
  if (!lease) return fail(spec.name, lease.error());
  if (!*lease) return 0;
  LeaseKeeper keeper(std::move(*lease), clock, log);
  return act(spec, file, *url, keeper, clock, log);
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
  return run_with(spec, *config, argv[2]);
}

}  // namespace lepton::service
