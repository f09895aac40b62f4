#pragma once
// Messages of the vault: its seal, secrets, tokens and policies. Secrets travel as Secret<> only,
// which has no log, JSON or row form.
//
// LEPTON_NEXT: a next version that only the tests build, and run beside this one
// (tests/process/next). Its ids begin at 900, where no real field will stand.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton {

struct VaultState {
  bool initialised = false;
  bool sealed = true;
  std::uint32_t keys = 0;
  std::uint32_t secrets = 0;
  std::uint32_t tokens = 0;
  std::uint32_t policies = 0;
  std::uint64_t revision = 0;

  static consteval auto fields() {
    using schema::field;
    using T = VaultState;
    return schema::fields(field(1, "initialised", &T::initialised, "It has a keyring."),
                          field(2, "sealed", &T::sealed, "Secrets cannot be read or written."),
                          field(3, "keys", &T::keys, "Data keys in the keyring."),
                          field(4, "secrets", &T::secrets, "Secrets stored."),
                          field(5, "tokens", &T::tokens, "Live tokens."),
                          field(6, "policies", &T::policies, "Policies."),
                          field(7, "revision", &T::revision, "Revision of the access rules."));
  }
};
static_assert(schema::complete<VaultState>());
struct VaultStatus {
  static constexpr std::string_view topic = "vault.status.get";
  static constexpr bool open = true;
  using Reply = VaultState;

  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<VaultStatus>());
struct TokenIssued {
  TokenClaims claims;
  Secret<> token;

  static consteval auto fields() {
    using schema::field;
    using T = TokenIssued;
    return schema::fields(field(1, "claims", &T::claims, "What the token says."),
                          field(2, "token", &T::token, "The token; shown once."));
  }
};
static_assert(schema::complete<TokenIssued>());
// Makes the keyring and the first token. Only the administrator's CURVE key may send it, and only
// once.
struct VaultInit {
  static constexpr std::string_view topic = "vault.seal.init";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = TokenIssued;
  Secret<> root_key;
  std::string subject;

  static consteval auto fields() {
    using schema::field;
    using T = VaultInit;
    return schema::fields(
        field(1, "root_key", &T::root_key, "Text of the root key, which the caller keeps."),
        field(2, "subject", &T::subject, "Name of the first administrator."));
  }
};
static_assert(schema::complete<VaultInit>());
// From the administrator's CURVE key, or with `manage vault`.
struct VaultUnseal {
  static constexpr std::string_view topic = "vault.seal.open";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = VaultState;
  Secret<> root_key;

  static consteval auto fields() {
    using schema::field;
    using T = VaultUnseal;
    return schema::fields(field(1, "root_key", &T::root_key, "Text of the root key."));
  }
};
static_assert(schema::complete<VaultUnseal>());
// Forgets the keys in memory.
struct VaultSeal {
  static constexpr std::string_view topic = "vault.seal.close";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = VaultState;

  std::string resource() const { return "vault"; }
  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<VaultSeal>());
// A new data key for new values; old values stay readable.
struct VaultRotate {
  static constexpr std::string_view topic = "vault.keyring.rotate";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = VaultState;

  std::string resource() const { return "vault"; }
  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<VaultRotate>());
// A service has a new CURVE key (`lepton key rotate`): noted before it takes the old one's place.
// The keys themselves are made where they are kept; only their public halves come here.
struct ServiceKeyRotate {
  static constexpr std::string_view topic = "vault.service_key.rotate";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = VaultState;
  std::string service;
  std::string old_key;
  std::string new_key;

  std::string resource() const { return "vault"; }
  static consteval auto fields() {
    using schema::field;
    using T = ServiceKeyRotate;
    return schema::fields(field(1, "service", &T::service, "Whose key."),
                          field(2, "old_key", &T::old_key, "Public half of its key so far, Z85."),
                          field(3, "new_key", &T::new_key, "Public half of its next key, Z85."));
  }
};
static_assert(schema::complete<ServiceKeyRotate>());
struct SecretInfo {
  std::string path;
  std::uint32_t version = 0;
  std::int64_t created_at_ms = 0;
  std::string created_by;
#ifdef LEPTON_NEXT
  std::string note;
#endif

  static consteval auto fields() {
    using schema::field;
    using T = SecretInfo;
    return schema::fields(
        field(1, "path", &T::path, "Path."),
        field(2, "version", &T::version, "Number of the version."),
        field(3, "created_at_ms", &T::created_at_ms, "When it was put, ms since 1970."),
        field(4, "created_by", &T::created_by, "Who put it.")
#ifdef LEPTON_NEXT
            ,
        field(900, "note", &T::note, "What it is for.").since(9)
#endif
    );
  }
};
static_assert(schema::complete<SecretInfo>());
struct SecretPut {
  static constexpr std::string_view topic = "vault.secret.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = SecretInfo;
  std::string path;
  Secret<> value;
  std::optional<std::uint32_t> expected;
#ifdef LEPTON_NEXT
  std::optional<std::string> note;
#endif

  std::string resource() const {
    return path;
  }
  static consteval auto fields() {
    using schema::field;
    using T = SecretPut;
    return schema::fields(
        field(1, "path", &T::path, "Path, secret/..."),
        field(2, "value", &T::value, "The value, at most 64 KiB."),
        field(3, "expected", &T::expected, "Version that must be the latest; 0: none yet.")
            .optional()
#ifdef LEPTON_NEXT
            ,
        field(900, "note", &T::note, "What it is for.").since(9)
#endif
    );
  }
};
static_assert(schema::complete<SecretPut>());
struct SecretValue {
  SecretInfo info;
  Secret<> value;

  static consteval auto fields() {
    using schema::field;
    using T = SecretValue;
    return schema::fields(field(1, "info", &T::info, "Which version."),
                          field(2, "value", &T::value, "The value."));
  }
};
static_assert(schema::complete<SecretValue>());
struct SecretGet {
  static constexpr std::string_view topic = "vault.secret.get";
  static constexpr bool audited = true;
  static constexpr Verb verb = Verb::read;
  using Reply = SecretValue;
  std::string path;
  std::optional<std::uint32_t> version;

  std::string resource() const { return path; }
  static consteval auto fields() {
    using schema::field;
    using T = SecretGet;
    return schema::fields(
        field(1, "path", &T::path, "Path, secret/..."),
        field(2, "version", &T::version, "Which version; absent: the latest.").optional());
  }
};
static_assert(schema::complete<SecretGet>());
struct SecretPage {
  std::vector<SecretInfo> secrets;

  static consteval auto fields() {
    using schema::field;
    using T = SecretPage;
    return schema::fields(field(1, "secrets", &T::secrets, "By path; latest versions, no values."));
  }
};
static_assert(schema::complete<SecretPage>());
struct SecretList {
  static constexpr std::string_view topic = "vault.secret.list";
  static constexpr Verb verb = Verb::list;
  using Reply = SecretPage;
  std::string prefix = "secret";

  std::string resource() const { return prefix; }
  static consteval auto fields() {
    using schema::field;
    using T = SecretList;
    return schema::fields(
        field(1, "prefix", &T::prefix, "Path that all of them begin with.").optional());
  }
};
static_assert(schema::complete<SecretList>());
struct SecretRemoved {
  std::string path;

  static consteval auto fields() {
    using schema::field;
    using T = SecretRemoved;
    return schema::fields(field(1, "path", &T::path, "Path."));
  }
};
static_assert(schema::complete<SecretRemoved>());
struct SecretRemove {
  static constexpr std::string_view topic = "vault.secret.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = SecretRemoved;
  std::string path;

  std::string resource() const { return path; }
  static consteval auto fields() {
    using schema::field;
    using T = SecretRemove;
    return schema::fields(field(1, "path", &T::path, "Path, secret/..."));
  }
};
static_assert(schema::complete<SecretRemove>());
struct OnBehalf {
  std::string subject;
  std::vector<std::string> policies;
  std::string token;

  static consteval auto fields() {
    using schema::field;
    using T = OnBehalf;
    return schema::fields(
        field(1, "subject", &T::subject, "Who submitted the job."),
        field(2, "policies", &T::policies, "Policies of that token."),
        field(3, "token", &T::token, "Identity of that token: void once it is revoked."));
  }
};
static_assert(schema::complete<OnBehalf>());
struct SecretsChecked {
  std::uint32_t secrets = 0;

  static consteval auto fields() {
    using schema::field;
    using T = SecretsChecked;
    return schema::fields(field(1, "secrets", &T::secrets, "How many may be read."));
  }
};
static_assert(schema::complete<SecretsChecked>());
// May they be read, and are they there? Values stay in the vault.
struct SecretCheck {
  static constexpr std::string_view topic = "vault.secret.check";
  static constexpr bool peer_only = true;
  using Reply = SecretsChecked;
  OnBehalf who;
  std::map<std::string, std::string> secrets;

  static consteval auto fields() {
    using schema::field;
    using T = SecretCheck;
    return schema::fields(field(1, "who", &T::who, "With whose rights."),
                          field(2, "secrets", &T::secrets, "Environment name to path."));
  }
};
static_assert(schema::complete<SecretCheck>());
struct SecretsResolved {
  std::map<std::string, Secret<>> values;
#ifdef LEPTON_NEXT
  std::map<std::string, std::uint32_t> versions;
#endif

  static consteval auto fields() {
    using schema::field;
    using T = SecretsResolved;
    return schema::fields(
        field(1, "values", &T::values, "Environment name to value.")
#ifdef LEPTON_NEXT
            ,
        field(900, "versions", &T::versions, "Environment name to version.").since(9)
#endif
    );
  }
};
static_assert(schema::complete<SecretsResolved>());
// Values for one attempt on one node; each value leaves an audit entry of its own.
struct SecretResolve {
  static constexpr std::string_view topic = "vault.secret.resolve";
  static constexpr bool peer_only = true;
  using Reply = SecretsResolved;
  OnBehalf who;
  std::string attempt;
  std::string node;
  std::map<std::string, std::string> secrets;

  static consteval auto fields() {
    using schema::field;
    using T = SecretResolve;
    return schema::fields(field(1, "who", &T::who, "With whose rights."),
                          field(2, "attempt", &T::attempt, "For which attempt."),
                          field(3, "node", &T::node, "On which node."),
                          field(4, "secrets", &T::secrets, "Environment name to path."));
  }
};
static_assert(schema::complete<SecretResolve>());
}  // namespace lepton
