#include "tests/services/vault/rig.hpp"

namespace lepton::vault::testing {

VaultTest::VaultTest() {
  settings.streams = {"audit", "access"};
  rule_gate.rule = [](actor::Caller const& caller, Verb verb, std::string_view text) -> Status {
    static auto const policies = *access::PolicySet::create(builtin_policies());
    auto const path = access::ResourcePath::parse(text);
    if (!path) return Error{Code::denied, path.error().what};
    if (policies.decide(caller.name, caller.policies, *path, verb).allowed) return ok();
    return Error{Code::denied, "no policy allows it"};
  };
}

void VaultTest::boot() {
  vault_settings.root = std::make_shared<RootKey>();
  boot_service("vault", [this] { return std::make_unique<Vault>(vault_settings); });
}

void VaultTest::init() {
  auto const issued = ask(VaultInit{root_key(), "root"}, holder);
  ASSERT_TRUE(issued) << issued.error().what;
}

Status VaultTest::put(std::string const& path, std::string const& text) {
  auto const done = ask(SecretPut{path, value(text), {}}, root);
  return done ? ok() : Status(done.error());
}

std::string VaultTest::got(std::string const& path, std::optional<std::uint32_t> version) {
  auto const found = ask(SecretGet{path, version}, root);
  return found ? std::string(found->value.reveal()) : outcome(found);
}

AccessSnapshot VaultTest::rules() {
  auto const snapshot =
      ask(SnapshotGet{"vault", "access"}, {.name = "deployer", .door = actor::Door::peer});
  EXPECT_TRUE(snapshot) << snapshot.error().what;
  if (!snapshot) return {};
  return *codec::decode<AccessSnapshot>(snapshot->body.data);
}

}  // namespace lepton::vault::testing
