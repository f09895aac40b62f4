#pragma once
// A vault on the hand-driven surrounding, with the gate that its own policies make.

#include "services/vault/core/policies.hpp"
#include "services/vault/vault.hpp"
#include "tests/common/harness/service_harness.hpp"

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

  VaultTest();
  // Another process, which has never seen the root key.
  void boot();
  void SetUp() override { boot(); }
  void init();
  Status put(std::string const& path, std::string const& text);
  std::string got(std::string const& path, std::optional<std::uint32_t> version = {});
  VaultState state() { return *ask(VaultStatus{}, ann); }
  AccessSnapshot rules();
};

}  // namespace lepton::vault::testing
