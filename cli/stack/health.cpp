// `lepton stack health`: what a container's health check asks, with what that container sees.

#include <fmt/format.h>

#include <algorithm>

#include "cli/stack/stack_commands.hpp"
#include "cli/stack/stack_folder.hpp"
#include "cli/up/access.hpp"
#include "common/bus/keys.hpp"
#include "common/crypto/entropy.hpp"
#include "common/postgres/session.hpp"
#include "schemas/vault_access.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr TimeMs answer_ms = 3'000;

// Through its client door, as everybody does, with a key that is nobody's.
Status service_serves(Layout const& layout, std::string const& service) {
  auto const config = service::read_config(layout.config(service));
  if (!config) return config.error();
  auto const own = bus::read_keys(config->keys_file);
  if (!own) return own.error();
  crypto::SystemEntropy entropy;
  bus::ClientSettings settings;
  auto const colon = config->client_endpoint.rfind(':');
  settings.endpoint = "tcp://127.0.0.1" + config->client_endpoint.substr(colon);
  settings.server_public_key = own->public_key;
  settings.keys = bus::create_keys(entropy);
  auto client = bus::Client::connect(std::move(settings));
  if (!client) return client.error();
  auto const health = client->call(HealthGet{service}, answer_ms);
  if (!health) return health.error();
  if (health->ready) return ok();
  return Error{Code::unavailable, health->detail};
}

Status database_serves(Layout const& layout) {
  std::error_code error;
  if (!fs::exists(prepared_mark(layout), error))
    return Error{Code::unavailable, "tables and logins are not ready"};
  auto const session = postgres::Session::open(
      Secret<>(postgres::session_url(layout.postgres_socket(), "lepton_admin", "lepton")));
  return session ? ok() : Status(session.error());
}

Status stack_is_open(Layout const& layout) {
  auto const plan = plan_inside(layout);
  if (!plan) return plan.error();
  auto client = connect_to(*plan, "vault", false);
  if (!client) return client.error();
  auto const vault = client->call(VaultStatus{}, answer_ms);
  if (!vault) return vault.error();
  if (!vault->initialised || vault->sealed) return Error{Code::unavailable, "the vault is sealed"};
  if (claims_in(layout.admin_token()) && claims_in(layout.node_token())) return ok();
  return Error{Code::unavailable, "there are no tokens yet"};
}

Status health_of(Layout const& layout, std::string const& part) {
  if (part == "database") return database_serves(layout);
  if (part == "steward") return stack_is_open(layout);
  auto const services = service_names();
  if (std::find(services.begin(), services.end(), part) != services.end())
    return service_serves(layout, part);
  return Error{Code::invalid, fmt::format("there is no part '{}' whose health can be asked", part)};
}

}  // namespace

Result<int> part_health(Shell& shell, std::string const& folder, std::string const& part) {
  auto const layout = find_stack(folder);
  if (!layout) return layout.error();
  if (auto good = health_of(*layout, part); !good) return good.error();
  shell.say(part + " serves");
  return 0;
}

}  // namespace lepton::cli
