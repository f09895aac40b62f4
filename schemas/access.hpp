#pragma once
// Who may do what: policies, the claims of a token, and the snapshot by which every service checks
// callers itself. Owned by the vault. Paths and patterns follow common/bus/access/path.hpp.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"

namespace lepton {

enum class Verb : std::uint8_t { unknown, read, write, remove, list, run, manage, exec };
consteval auto enumerators(Verb) {
  return std::to_array<std::string_view>(
      {"unknown", "read", "write", "remove", "list", "run", "manage", "exec"});
}

enum class Effect : std::uint8_t { unknown, allow, deny };
consteval auto enumerators(Effect) {
  return std::to_array<std::string_view>({"unknown", "allow", "deny"});
}

struct PolicyRule {
  std::string path;
  std::vector<Verb> verbs;
  Effect effect = Effect::allow;

  bool operator==(PolicyRule const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = PolicyRule;
    return schema::fields(
        field(1, "path", &R::path,
              "Pattern: '+' is one segment, a trailing '*' the rest, '{subject}' the caller."),
        field(2, "verbs", &R::verbs, "What the rule speaks of."),
        field(3, "effect", &R::effect, "Allow or deny; deny always wins.").optional());
  }
};
static_assert(schema::complete<PolicyRule>());

struct Policy {
  std::string name;
  std::vector<PolicyRule> rules;

  bool operator==(Policy const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "name", &Policy::name, "One path segment.").key(),
                          field(2, "rules", &Policy::rules, "What no rule allows is denied."));
  }
};
static_assert(schema::complete<Policy>());

struct TokenClaims {
  std::string token;
  std::string subject;
  std::vector<std::string> policies;
  std::string key;
  std::int64_t issued_at_ms = 0;
  std::int64_t expires_at_ms = 0;

  bool operator==(TokenClaims const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using C = TokenClaims;
    return schema::fields(
        field(1, "token", &C::token, "Identity of the token, by which it is revoked; no secret."),
        field(2, "subject", &C::subject, "Who holds it; one path segment."),
        field(3, "policies", &C::policies, "Names of the policies it carries."),
        field(4, "key", &C::key, "Z85 of the CURVE key it is bound to; empty means any key."),
        field(5, "issued_at_ms", &C::issued_at_ms, "Wall time of issue, ms since 1970."),
        field(6, "expires_at_ms", &C::expires_at_ms, "It is void from this wall time on, ms."));
  }
};
static_assert(schema::complete<TokenClaims>());

struct AccessSnapshot {
  std::uint64_t revision = 0;
  std::vector<Policy> policies;
  std::vector<std::string> revoked;
  Bytes vault_key;

  bool operator==(AccessSnapshot const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using S = AccessSnapshot;
    return schema::fields(
        field(1, "revision", &S::revision, "Rises with each change of the other fields."),
        field(2, "policies", &S::policies, "All policies."),
        field(3, "revoked", &S::revoked, "Revoked tokens that have not expired yet."),
        field(4, "vault_key", &S::vault_key, "Ed25519 public key that signs tokens, 32 octets."));
  }
};
static_assert(schema::complete<AccessSnapshot>());

}  // namespace lepton
