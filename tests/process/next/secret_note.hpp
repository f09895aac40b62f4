#pragma once
// The message that the next version of the vault adds: what a secret is for, without a new value.
// Owned by the vault.

#include "schemas/vault.hpp"

namespace lepton {

struct SecretNote {
  static constexpr std::string_view topic = "vault.secret.note";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = SecretInfo;
  std::string path;
  std::string note;

  std::string resource() const { return path; }
  static consteval auto fields() {
    using schema::field;
    using T = SecretNote;
    return schema::fields(field(1, "path", &T::path, "Path, secret/..."),
                          field(2, "note", &T::note, "What it is for, at most 200 octets."));
  }
};
static_assert(schema::complete<SecretNote>());

}  // namespace lepton
