#include "bench/messaging/parties.hpp"

#include <cstdio>
#include <cstdlib>

#include "common/bus/access/token.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::bench {
namespace {

bus::KeyPair keys_of(char who) {
  auto keys = bus::keys_from_secret(crypto::z85(std::string(32, who)));
  return std::move(*keys);
}

crypto::SigningKey vault_key() {
  return std::move(*crypto::SigningKey::from_seed(Secret<std::string>(std::string(32, 'v'))));
}

}  // namespace

void require(bool good, std::string const& what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::_Exit(1);
}

bus::KeyPair server_keys() {
  return keys_of('s');
}
bus::KeyPair client_keys() {
  return keys_of('c');
}

AccessSnapshot access_rules() {
  AccessSnapshot rules;
  rules.revision = 1;
  rules.policies = {{"users", {{"job/{subject}/*", {Verb::run}, Effect::allow}}}};
  rules.vault_key = Bytes{std::string(crypto::view(vault_key().public_key()))};
  return rules;
}

std::unique_ptr<bus::Bus> open_bus(bus::BusSettings settings) {
  auto bus = bus::Bus::open(std::move(settings));
  require(bool(bus), bus ? "" : bus.error().what);
  return std::move(*bus);
}

bus::BusSettings server_settings(Load const& load, Shared const& shared) {
  bus::BusSettings settings;
  settings.name = "server";
  settings.keys = server_keys();
  settings.client_endpoint = shared.endpoint;
  settings.limits.receive_queue_max = settings.limits.send_queue_max = load.queue;
  return settings;
}

bus::Client connect_client(Load const& load, Shared& shared) {
  wait_ready(shared);
  bus::ClientSettings settings;
  settings.endpoint = shared.endpoint;
  settings.keys = client_keys();
  settings.server_public_key = server_keys().public_key;
  settings.window = load.window;
  settings.limits.receive_queue_max = settings.limits.send_queue_max = load.queue;
  auto const now = SystemClock().wall_ms();
  auto token = access::issue(
      {"t1", "anna", {"users"}, settings.keys.public_key, now, now + 3'600'000}, vault_key());
  require(bool(token), "token");
  settings.token = std::move(*token);
  auto client = bus::Client::connect(std::move(settings));
  require(bool(client), client ? "" : client.error().what);
  return std::move(*client);
}

}  // namespace lepton::bench
