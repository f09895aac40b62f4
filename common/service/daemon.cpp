#include "common/service/daemon.hpp"

#include <bit>

#include "common/crypto/entropy.hpp"
#include "common/service/logging.hpp"
#include "common/service/loop.hpp"
#include "common/service/publishing.hpp"
#include "common/service/thread_worker.hpp"

namespace lepton::service {
namespace {

class NoStore final : public store::Store {
 public:
  void commit(store::Batch, Committed) override { refuse(); }
  void load(std::vector<store::Table const*>, Loaded) override { refuse(); }
  void find(store::Query, Found) override { refuse(); }

 private:
  static void refuse() { LEPTON_CHECK(false, "this program keeps no rows"); }
};

// Nobody calls in, so nobody is let in.
class NoGate final : public actor::Gate {
 public:
  Status allow(actor::Caller const&, Verb, std::string_view) override {
    return Error{Code::denied, "this program serves no clients"};
  }
};

class TokenWire final : public actor::Wire {
 public:
  TokenWire(bus::Bus& bus, TokenFile const& token) : bus_(bus), token_(token) {}
  void request(std::string const& peer, Header const& header, std::string const& body) override {
    auto with_token = header;
    with_token.token = token_.token().reveal();
    bus_.request(peer, with_token, body);
  }
  void answer(actor::Route const& route, Header const& header, std::string const& body) override {
    bus_.answer(route, header, body);
  }
  void publish(Hint const&) override {}

 private:
  bus::Bus& bus_;
  TokenFile const& token_;
};

class Answers final : public bus::Sink {
 public:
  explicit Answers(actor::System& system) : system_(system) {}
  void on_request(actor::Door, std::string, actor::Route, Header, std::string) override {}
  void on_answer(std::string const& peer, Header header, std::string body) override {
    system_.deliver_reply(peer, header, std::move(body));
  }
  void on_hint(std::string const&, Hint hint) override { system_.deliver_hint(hint); }

 private:
  actor::System& system_;
};

void look_at(TokenFile& token, actor::Log const& log) {
  auto const read = token.look();
  if (!read) return log(actor::Level::error, "the earlier token stays: " + read.error().what);
  if (*read) log(actor::Level::info, "the token was renewed");
}

}  // namespace

int run_daemon(DaemonSpec spec) {
  LEPTON_CHECK(spec.token.has_value(), "a program that dials out needs a token");
  harden();
  catch_signals();
  auto metrics = open_metrics(spec.metrics_endpoint);
  if (!metrics) return fail(spec.name, metrics.error());
  bus::BusSettings bus_settings;
  bus_settings.name = spec.name;
  bus_settings.keys = std::move(spec.keys);
  bus_settings.peers = std::move(spec.peers);
  auto opened = bus::Bus::open(std::move(bus_settings));
  if (!opened) return fail(spec.name, opened.error());
  auto& bus = **opened;
  Inbox inbox([&bus] { bus.wake(); });
  SystemClock const clock;
  NoStore store;
  NoGate gate;
  TokenWire wire(bus, *spec.token);
  ThreadWorker worker(2, inbox);
  crypto::SystemEntropy entropy;
  Chance chance(std::bit_cast<std::uint64_t>(entropy.array<8>()));
  actor::Ports const ports{clock,  store,   wire,   gate,
                           worker, entropy, chance, make_log(spec.log_level)};
  actor::System system({.service = spec.name}, ports);
  actor::HostSettings host;
  host.durable = false;
  host.streams.clear();
  system.add(spec.name, spec.make, host);
  for (auto const& [name, make] : spec.more) system.add(name, make, host);
  Answers answers(system);
  system.start();
  ports.log(actor::Level::info, spec.name + ": started");
  auto const publish = publishing(metrics->get(), system, bus);
  serve(system, bus, inbox, answers, clock, nullptr, [&] {
    if (publish) publish();
    look_at(*spec.token, ports.log);
    if (!reload_was_asked() || !spec.read_peers) return;
    auto const peers = spec.read_peers();
    auto const taken = peers ? bus.set_peer_keys(*peers) : Status(peers.error());
    ports.log(taken ? actor::Level::info : actor::Level::error,
              taken ? "the keys of peers were read again"
                    : "the settings were not taken, the earlier ones stay: " + taken.error().what);
  });
  if (auto const why = system.gave_up()) return fail(spec.name, {Code::internal, *why});
  ports.log(actor::Level::info, spec.name + ": stopped; tasks go on");
  return 0;
}

}  // namespace lepton::service
