#pragma once
// A vault on the hand-driven surrounding, with the gate that its own policies make.

#include "services/vault/core/policies.hpp"
#include "services/vault/vault.hpp"
#include "tests/services/deployer/ask.hpp"

namespace lepton::vault::testing {

using test::As;
using test::outcome;

inline Secret<> root_key(char last = 'E') {
  // 32 octets of base64url.
  return Secret<>(std::string("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MD") + last);
}
inline Secret<> value(std::string text) {
  return Secret<>(std::move(text));
}
inline std::string const admin_key(40, 'a');  // Z85, as of a CURVE key
inline constexpr char const* canary = "canary-7c1e0b5f-of-all-secrets";

class VaultTest : public test::ServiceHarness {
 protected:
  Settings vault_settings{.admin_key = admin_key, .tokens = {}};
  As const root{.name = "root", .policies = {"admin"}};
  As const holder{.name = "holder", .key = admin_key};  // of the administrator's CURVE key
  As const ann{.name = "ann", .policies = {"user"}};
  As const deployer{.name = "deployer", .door = actor::Door::peer};

  VaultTest() {
    settings.streams = {"audit", "access"};
    rule_gate.rule = [](actor::Caller const& caller, Verb verb, std::string_view text) -> Status {
      static auto const policies = *access::PolicySet::create(builtin_policies());
      auto const path = access::ResourcePath::parse(text);
      if (!path) return Error{Code::denied, path.error().what};
      if (policies.decide(caller.name, caller.policies, *path, verb).allowed) return ok();
      return Error{Code::denied, "no policy allows it"};
    };
  }
  // Another process, which has never seen the root key.
  void boot() {
    vault_settings.root = std::make_shared<RootKey>();
    boot_service("vault", [this] { return std::make_unique<Vault>(vault_settings); });
  }
  void SetUp() override { boot(); }
  void init() {
    auto const issued = ask(VaultInit{root_key(), "root"}, holder);
    ASSERT_TRUE(issued) << issued.error().what;
  }
  Status put(std::string const& path, std::string const& text) {
    auto const done = ask(SecretPut{path, value(text), {}}, root);
    return done ? ok() : Status(done.error());
  }
  std::string got(std::string const& path, std::optional<std::uint32_t> version = {}) {
    auto const found = ask(SecretGet{path, version}, root);
    return found ? std::string(found->value.reveal()) : outcome(found);
  }
  VaultState state() { return *ask(VaultStatus{}, ann); }
  AccessSnapshot rules() {
    auto const snapshot =
        ask(SnapshotGet{"vault", "access"}, {.name = "deployer", .door = actor::Door::peer});
    EXPECT_TRUE(snapshot) << snapshot.error().what;
    if (!snapshot) return {};
    return *codec::decode<AccessSnapshot>(snapshot->body.data);
  }
};

}  // namespace lepton::vault::testing
