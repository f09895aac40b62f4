#pragma once
// Messages about tokens and policies. The vault owns and serves them.

#include "schemas/vault.hpp"

namespace lepton {

struct TokenCreate {
  static constexpr std::string_view topic = "vault.token.create";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = TokenIssued;
  std::string subject;
  std::vector<std::string> policies;
  std::string key;
  std::int64_t ttl_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using T = TokenCreate;
    return schema::fields(
        field(1, "subject", &T::subject, "Who will hold it."),
        field(2, "policies", &T::policies, "What it may do."),
        field(3, "key", &T::key, "Z85 CURVE key that it is bound to; empty: any.").optional(),
        field(4, "ttl_ms", &T::ttl_ms, "Time to live, ms; 0: 12 hours.").optional());
  }
};
static_assert(schema::complete<TokenCreate>());
struct TokenRevoked {
  std::vector<std::string> tokens;

  static consteval auto fields() {
    using schema::field;
    using T = TokenRevoked;
    return schema::fields(field(1, "tokens", &T::tokens, "The token and all that came from it."));
  }
};
static_assert(schema::complete<TokenRevoked>());
struct TokenRevoke {
  static constexpr std::string_view topic = "vault.token.revoke";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = TokenRevoked;
  std::string token;

  static consteval auto fields() {
    using schema::field;
    using T = TokenRevoke;
    return schema::fields(field(1, "token", &T::token, "Identity of the token, not its text."));
  }
};
static_assert(schema::complete<TokenRevoke>());
struct TokenPage {
  std::vector<TokenClaims> tokens;

  static consteval auto fields() {
    using schema::field;
    using T = TokenPage;
    return schema::fields(field(1, "tokens", &T::tokens, "Live tokens, newest first."));
  }
};
static_assert(schema::complete<TokenPage>());
struct TokenList {
  static constexpr std::string_view topic = "vault.token.list";
  static constexpr Verb verb = Verb::list;
  using Reply = TokenPage;
  std::uint32_t limit = 100;

  std::string resource() const { return "token"; }
  static consteval auto fields() {
    using schema::field;
    using T = TokenList;
    return schema::fields(
        field(1, "limit", &T::limit, "At most so many.").bounds(1, 1000).optional());
  }
};
static_assert(schema::complete<TokenList>());
struct PolicyStored {
  std::string name;

  static consteval auto fields() {
    using schema::field;
    using T = PolicyStored;
    return schema::fields(field(1, "name", &T::name, "Name."));
  }
};
static_assert(schema::complete<PolicyStored>());
struct PolicyPut {
  static constexpr std::string_view topic = "vault.policy.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = PolicyStored;
  Policy policy;

  std::string resource() const { return "policy/" + policy.name; }
  static consteval auto fields() {
    using schema::field;
    using T = PolicyPut;
    return schema::fields(field(1, "policy", &T::policy, "Replaces the one of the same name."));
  }
};
static_assert(schema::complete<PolicyPut>());
struct PolicyPage {
  std::vector<Policy> policies;

  static consteval auto fields() {
    using schema::field;
    using T = PolicyPage;
    return schema::fields(field(1, "policies", &T::policies, "By name."));
  }
};
static_assert(schema::complete<PolicyPage>());
struct PolicyList {
  static constexpr std::string_view topic = "vault.policy.list";
  static constexpr Verb verb = Verb::list;
  using Reply = PolicyPage;

  std::string resource() const { return "policy"; }
  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<PolicyList>());
// Event of the stream `access`.
struct AccessChanged {
  static constexpr std::string_view topic = "vault.access.changed";
  std::uint64_t revision = 0;

  static consteval auto fields() {
    using schema::field;
    using T = AccessChanged;
    return schema::fields(
        field(1, "revision", &T::revision, "Revision of the access rules; take a snapshot."));
  }
};
static_assert(schema::complete<AccessChanged>());
struct PolicyRemove {
  static constexpr std::string_view topic = "vault.policy.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = PolicyStored;
  std::string name;

  std::string resource() const { return "policy/" + name; }
  static consteval auto fields() {
    using schema::field;
    using T = PolicyRemove;
    return schema::fields(field(1, "name", &T::name, "Name."));
  }
};
static_assert(schema::complete<PolicyRemove>());
}  // namespace lepton
