#pragma once
// The rows of the vault (schemas/sql/vault). Values and keys stand here only sealed.

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton::vault {

// One row: the wrapped keyring, and the sealed key that signs tokens.
struct SealRow {
  static constexpr std::string_view table = "seal";
  std::string name;
  Bytes keyring;
  Bytes signing_key;
  Bytes public_key;
  std::int64_t revision = 0;

  static consteval auto fields() {
    using schema::field;
    using R = SealRow;
    return schema::fields(
        field(1, "name", &R::name, "Always `main`.").key(),
        field(2, "keyring", &R::keyring, "Keyring, wrapped with the root key."),
        field(3, "signing_key", &R::signing_key, "Seed of the token key, sealed by the keyring."),
        field(4, "public_key", &R::public_key, "Its public half."),
        field(5, "revision", &R::revision, "Revision of the access rules."));
  }
};
static_assert(schema::complete<SealRow>());

// The highest version ever given stays when the values are removed.
struct SecretRow {
  static constexpr std::string_view table = "secret";
  std::string path;
  std::int64_t latest = 0;
#ifdef LEPTON_NEXT  // schemas/vault.hpp
  std::string note;
#endif

  static consteval auto fields() {
    using schema::field;
    using R = SecretRow;
    return schema::fields(field(1, "path", &R::path, "Path, secret/...").key(),
                          field(2, "latest", &R::latest, "Highest version ever given.")
#ifdef LEPTON_NEXT
                              ,
                          field(900, "note", &R::note, "What it is for.").since(9)
#endif
    );
  }
};
static_assert(schema::complete<SecretRow>());

struct SecretVersionRow {
  static constexpr std::string_view table = "secret_version";
  std::string path;
  std::int64_t version = 0;
  std::int64_t created_at_ms = 0;
  std::string created_by;
  Bytes sealed;

  static consteval auto fields() {
    using schema::field;
    using R = SecretVersionRow;
    return schema::fields(
        field(1, "path", &R::path, "Path, secret/...").key(),
        field(2, "version", &R::version, "Number of the version, from 1.").key(),
        field(3, "created_at_ms", &R::created_at_ms, "When it was put, ms since 1970."),
        field(4, "created_by", &R::created_by, "Who put it."),
        field(5, "sealed", &R::sealed, "The value, sealed for its place."));
  }
};
static_assert(schema::complete<SecretVersionRow>());

// What is kept of a token: never its text.
struct TokenRecordRow {
  static constexpr std::string_view table = "token";
  std::string token;
  std::string subject;
  std::vector<std::string> policies;
  std::string key;
  std::int64_t issued_at_ms = 0;
  std::int64_t expires_at_ms = 0;
  std::string parent;
  bool revoked = false;

  static consteval auto fields() {
    using schema::field;
    using R = TokenRecordRow;
    return schema::fields(
        field(1, "token", &R::token, "Identity of the token.").key(),
        field(2, "subject", &R::subject, "Who holds it."),
        field(3, "policies", &R::policies, "Policies that it carries."),
        field(4, "key", &R::key, "CURVE key that it is bound to; empty: any."),
        field(5, "issued_at_ms", &R::issued_at_ms, "When it was issued, ms since 1970."),
        field(6, "expires_at_ms", &R::expires_at_ms, "When it becomes void, ms since 1970."),
        field(7, "parent", &R::parent, "Token of its creator; empty for the first one."),
        field(8, "revoked", &R::revoked, "It is void although it has not expired."));
  }
};
static_assert(schema::complete<TokenRecordRow>());

struct PolicyRow {
  static constexpr std::string_view table = "policy";
  std::string name;
  std::vector<PolicyRule> rules;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "name", &PolicyRow::name, "Name.").key(),
                          field(2, "rules", &PolicyRow::rules, "What it allows and denies."));
  }
};
static_assert(schema::complete<PolicyRow>());

}  // namespace lepton::vault
