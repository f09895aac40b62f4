#include "cli/up/access.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/up/patience.hpp"
#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/encode.hpp"
#include "schemas/auditor.hpp"
#include "schemas/monitor.hpp"
#include "schemas/node.hpp"
#include "schemas/scaler.hpp"
#include "schemas/vault_access.hpp"

namespace lepton::cli {
namespace {

Result<Secret<>> read_secret(std::string const& path) {
  auto text = read_private_file(path);
  if (!text) return text.error();
  Secret<> secret{std::string(text::trim(*text))};
  wipe(text->data(), text->size());
  return secret;
}

Status write_secret(std::string const& path, Secret<> const& secret) {
  auto text = secret.reveal() + "\n";
  auto written = write_private_file(path, text);
  wipe(text.data(), text.size());
  return written;
}

// On disk before the vault hears of it: a crash between the two loses nothing.
Result<Secret<>> root_key(StackPlan const& plan) {
  auto known = read_secret(plan.layout.root_key());
  if (known || known.error().code != Code::not_found) return known;
  crypto::SystemEntropy entropy;
  Secret<> fresh{crypto::base64url(entropy.secret(32).reveal())};
  if (auto written = write_secret(plan.layout.root_key(), fresh); !written) return written.error();
  return fresh;
}

Status init_vault(StackPlan const& plan, bus::Client& client, Secret<> const& key) {
  auto const issued = ask_patiently(client, VaultInit{key, "admin"});
  if (!issued) return issued.error();
  return write_secret(plan.layout.admin_token(), issued->token);
}

Status put_if_missing(bus::Client& client) {
  auto const known = ask_patiently(client, PolicyList{});
  if (!known) return known.error();
  for (auto const& policy : known->policies)
    if (policy.name == node_policy_name) return ok();
  auto const stored = ask_patiently(client, PolicyPut{node_policy()});
  return stored ? ok() : Status(stored.error());
}

}  // namespace

Policy node_policy() {
  return {node_policy_name, {{"node/{subject}", {Verb::write}, Effect::allow}}};
}

Status put_node_policy(StackPlan const& plan) {
  auto client = connect_to(plan, "vault", true);
  return client ? put_if_missing(*client) : Status(client.error());
}

Result<bus::Client> connect_to(StackPlan const& plan, std::string const& service, bool with_token) {
  auto keys = bus::read_keys(plan.layout.keys("admin"));
  if (!keys) return keys.error();
  bus::ClientSettings settings;
  settings.endpoint = client_endpoint(plan, service);
  settings.server_public_key = plan.public_keys.at(service);
  settings.keys = std::move(*keys);
  settings.window = 4;
  if (with_token) {
    auto token = read_secret(plan.layout.admin_token());
    if (!token) return token.error();
    settings.token = std::move(*token);
  }
  return bus::Client::connect(std::move(settings));
}

Result<Opened> open_vault(StackPlan const& plan) {
  auto client = connect_to(plan, "vault", false);
  if (!client) return client.error();
  auto const state = ask_patiently(*client, VaultStatus{});
  if (!state) return state.error();
  if (state->initialised && !state->sealed) return Opened::open_already;
  if (!state->initialised) {
    auto const key = root_key(plan);
    if (!key) return key.error();
    if (auto made = init_vault(plan, *client, *key); !made) return made.error();
    return Opened::fresh;
  }
  auto const key = read_secret(plan.layout.root_key());
  if (!key && key.error().code == Code::not_found) return Opened::still_sealed;
  if (!key) return key.error();
  auto const opened = ask_patiently(*client, VaultUnseal{*key});
  if (!opened)
    return Error{opened.error().code,
                 fmt::format("the vault does not open with {}: {}", plan.layout.root_key().string(),
                             opened.error().what)};
  return Opened::unsealed;
}

template <class M>
Status admits(StackPlan const& plan, std::string const& service, M const& message) {
  auto client = connect_to(plan, service, true);
  if (!client) return client.error();
  auto const reply = ask_patiently(*client, message);
  if (reply) return ok();
  return Error{reply.error().code, fmt::format("the {} does not admit the administrator: {}",
                                               service, reply.error().what)};
}

Status wait_until_admitted(StackPlan const& plan) {
  auto status = admits(plan, "vault", PolicyList{});
  if (status) status = admits(plan, "deployer", NodeList{});
  AuditTail one;
  one.limit = 1;
  if (status) status = admits(plan, "auditor", one);
  if (status) status = admits(plan, "scaler", ScaledServiceList{});
  if (status) status = admits(plan, "monitor", NodeHealthList{});
  return status;
}

Result<bool> node_joins(StackPlan const& plan, TimeMs limit_ms) {
  auto client = connect_to(plan, "deployer", true);
  if (!client) return client.error();
  SystemClock const clock;
  auto const deadline = clock.now_ms() + limit_ms;
  while (clock.now_ms() < deadline) {
    auto const page = client->call(NodeList{}, deadline - clock.now_ms());
    if (!page) return page.error();
    for (auto const& node : page->nodes)
      if (node.node.value == plan.settings.node_name &&
          (node.state == NodeState::ready || node.state == NodeState::draining))
        return true;
    client->pump(50);
  }
  return false;
}

std::optional<TokenClaims> claims_in(std::string const& token_file) {
  auto const token = read_secret(token_file);
  if (!token) return std::nullopt;
  auto const parts = text::split(token->reveal(), '.');
  if (parts.size() != 3) return std::nullopt;
  auto const octets = crypto::from_base64url(parts[1]);
  if (!octets) return std::nullopt;
  auto claims = codec::decode<TokenClaims>(*octets);
  return claims ? std::optional(std::move(*claims)) : std::nullopt;
}

bool is_stale(std::optional<TokenClaims> const& claims, WallMs now_ms) {
  return !claims || claims->expires_at_ms < now_ms + token_renew_before_ms;
}

Result<bool> renew_admin_token(StackPlan const& plan, WallMs now_ms) {
  auto const claims = claims_in(plan.layout.admin_token());
  if (!is_stale(claims, now_ms)) return false;
  auto const key = read_secret(plan.layout.root_key());
  if (key) {
    auto client = connect_to(plan, "vault", false);
    if (!client) return client.error();
    if (auto made = init_vault(plan, *client, *key); !made) return made.error();
    return true;
  }
  if (!claims || claims->expires_at_ms <= now_ms)
    return Error{
        Code::denied,
        fmt::format("the administrator's token is lost or has expired, and the root key is "
                    "not in {}; put its text there with mode 0600 and run `lepton up` "
                    "again, or run `lepton vault init` and type it",
                    plan.layout.root_key().string())};
  auto client = connect_to(plan, "vault", true);
  if (!client) return client.error();
  auto const issued = ask_patiently(
      *client,
      TokenCreate{claims->subject, claims->policies, plan.public_keys.at("admin"), token_ttl_ms});
  if (!issued) return issued.error();
  if (auto written = write_secret(plan.layout.admin_token(), issued->token); !written)
    return written.error();
  return true;
}

Result<bool> renew_node_token(StackPlan const& plan, WallMs now_ms) {
  auto const& name = plan.settings.node_name;
  auto const& key = plan.public_keys.at("node");
  auto const claims = claims_in(plan.layout.node_token());
  bool const fits = claims && claims->subject == name && claims->key == key;
  if (fits && !is_stale(claims, now_ms)) return false;
  auto client = connect_to(plan, "vault", true);
  if (!client) return client.error();
  if (auto put = put_if_missing(*client); !put) return put.error();
  auto const issued =
      ask_patiently(*client, TokenCreate{name, {node_policy_name}, key, token_ttl_ms});
  if (!issued) return issued.error();
  if (auto written = write_secret(plan.layout.node_token(), issued->token); !written)
    return written.error();
  return true;
}

}  // namespace lepton::cli
