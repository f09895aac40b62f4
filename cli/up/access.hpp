#pragma once
// The vault of a one-machine setup: made at the first start, unsealed with the key file at every
// start, and the tokens of the administrator and of the local node kept fresh. Speaks to the vault
// through its client door, with the administrator's CURVE key. One thread. Errors: denied (wrong
// root key), unavailable (sealed and no key file), as bus/client.hpp else.

#include "cli/up/plan.hpp"
#include "common/bus/client.hpp"

namespace lepton::cli {

inline constexpr std::int64_t token_ttl_ms = 30 * 86'400'000ll;
inline constexpr std::int64_t token_renew_before_ms = 7 * 86'400'000ll;
inline constexpr char const* node_policy_name = "node";

// A connection to a service without a token, or with the administrator's.
Result<bus::Client> connect_to(StackPlan const& plan, std::string const& service, bool with_token);

enum class Opened : std::uint8_t { fresh, unsealed, open_already, still_sealed };

// still_sealed: there is no key file; a person has to type the key.
Result<Opened> open_vault(StackPlan const& plan);

// Until every service knows the rules of access and takes the administrator's token.
Status wait_until_admitted(StackPlan const& plan);

// True when a new one was written. Where it has expired or is lost, the root key makes a new one.
Result<bool> renew_admin_token(StackPlan const& plan, WallMs now_ms);
// What a node's token carries; there from the start, so that other machines may join.
Status put_node_policy(StackPlan const& plan);
// Also that policy.
Result<bool> renew_node_token(StackPlan const& plan, WallMs now_ms);

// Whether the deployer takes the local node into use in this time.
Result<bool> node_joins(StackPlan const& plan, TimeMs limit_ms);

// The claims that a token file states; nothing when it is absent or unreadable. Proves nothing.
std::optional<TokenClaims> claims_in(std::string const& token_file);
bool is_stale(std::optional<TokenClaims> const& claims, WallMs now_ms);
Policy node_policy();

}  // namespace lepton::cli
