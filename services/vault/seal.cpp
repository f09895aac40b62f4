// The seal: root key, keyring, and the key that signs tokens.

#include "common/bus/access/token.hpp"
#include "common/bus/keys.hpp"
#include "common/crypto/encode.hpp"
#include "services/vault/vault.hpp"

namespace lepton::vault {
namespace {

Place const signing_place{std::string(tenant), "vault/signing-key", 1};

crypto::SealKey fresh_key(actor::Context& c) {
  return crypto::SealKey(c.entropy().secret(32));
}
crypto::SealNonce fresh_nonce(actor::Context& c) {
  return c.entropy().array<std::tuple_size_v<crypto::SealNonce>>();
}

}  // namespace

Status Vault::need_open() const {
  if (!seal_)
    return Error{Code::unavailable, "the vault is not initialised; run `lepton vault init`"};
  if (!keyring_) return Error{Code::unavailable, "the vault is sealed; run `lepton vault unseal`"};
  return ok();
}

VaultState Vault::state(WallMs now) const {
  VaultState s;
  s.initialised = seal_.has_value();
  s.sealed = !keyring_.has_value();
  s.keys = keyring_ ? static_cast<std::uint32_t>(keyring_->keys().size()) : 0;
  s.secrets = static_cast<std::uint32_t>(secrets_.size());
  for (auto const& [id, row] : tokens_)
    if (!row.revoked && row.claims.expires_at_ms > now) ++s.tokens;
  s.policies = static_cast<std::uint32_t>(policies_.size());
  s.revision = seal_ ? static_cast<std::uint64_t>(seal_->revision) : 0;
  return s;
}

Result<VaultState> Vault::status(VaultStatus const&, Context& c) {
  return state(c.wall());
}

// The administrator's key is proven by the CURVE handshake. Without it, a policy must say so.
Status Vault::admit_root(Context& c) {
  if (!settings_.admin_key.empty() && c.caller().key == settings_.admin_key) {
    c.grant("vault");
    return ok();
  }
  return c.allow(Verb::manage, "vault");
}

Status Vault::open_with(RootKey const& root) {
  auto keyring = Keyring::unwrap(root, tenant, seal_->keyring.data);
  if (!keyring) return keyring.error();
  auto seed = decrypt(*keyring, signing_place, seal_->signing_key.data);
  if (!seed) return seed.error();
  auto signer = crypto::SigningKey::from_seed(std::move(*seed));
  if (!signer) return signer.error();
  keyring_ = std::move(*keyring);
  signer_ = std::move(*signer);
  *settings_.root = root;
  return ok();
}

void Vault::create_seal(RootKey const& root, Context& c) {
  auto keyring = Keyring::create(fresh_key(c), c.wall());
  auto signer = crypto::SigningKey::create(c.entropy());
  SealRow row;
  row.name = "main";
  row.keyring.data = keyring.wrap(root, fresh_nonce(c), tenant);
  row.signing_key.data = encrypt(keyring, signing_place, fresh_nonce(c), signer.seed().reveal());
  row.public_key.data = std::string(crypto::view(signer.public_key()));
  row.revision = 1;
  seal_ = row;
  keyring_ = std::move(keyring);
  signer_ = std::move(signer);
  *settings_.root = root;
}

// Once more with the right root key: unseals, and gives the holder of the root key a new first
// token. That is the way back when the administrator's token was lost or has expired.
Result<TokenIssued> Vault::init(VaultInit const& m, Context& c) {
  if (auto admitted = admit_root(c); !admitted) return admitted.error();
  auto root = parse_root_key(m.root_key.reveal());
  if (!root) return root.error();
  if (auto good = access::check_segment("subject", m.subject); !good) return good.error();
  if (auto room = check_room(tokens_, c.wall()); !room) return room.error();
  TokenClaims claims;
  claims.token = crypto::uuid7(c.entropy(), c.wall());
  claims.subject = m.subject;
  claims.policies = {"admin"};
  claims.key = c.caller().key;
  claims.issued_at_ms = c.wall();
  claims.expires_at_ms = c.wall() + settings_.tokens.max_ttl_ms;
  if (auto good = access::check_claims(claims); !good) return good.error();
  if (seal_) {
    if (auto opened = open_with(*root); !opened) return opened.error();
    c.note("again", "true");
  } else {
    create_seal(*root, c);
    for (auto const& [name, policy] : policies_) c.upsert(PolicyRow{name, policy.rules});
  }
  rules_changed(c);
  return issue_token(std::move(claims), "", c);
}

Result<VaultState> Vault::unseal(VaultUnseal const& m, Context& c) {
  if (auto admitted = admit_root(c); !admitted) return admitted.error();
  if (!seal_) return need_open().error();
  auto root = parse_root_key(m.root_key.reveal());
  if (!root) return root.error();
  if (auto opened = open_with(*root); !opened) return opened.error();
  return state(c.wall());
}

Result<VaultState> Vault::seal(VaultSeal const&, Context& c) {
  if (auto open = need_open(); !open) return open.error();
  keyring_.reset();
  signer_.reset();
  *settings_.root = {};
  return state(c.wall());
}

Result<VaultState> Vault::rotate(VaultRotate const&, Context& c) {
  if (auto open = need_open(); !open) return open.error();
  auto fresh = *keyring_;
  if (auto rotated = fresh.rotate(fresh_key(c), c.wall()); !rotated) return rotated.error();
  seal_->keyring.data = fresh.wrap(*settings_.root, fresh_nonce(c), tenant);
  keyring_ = std::move(fresh);
  c.upsert(*seal_);
  return state(c.wall());
}

// The entry of the audit log is all that is kept; a sealed vault takes it, too.
Result<VaultState> Vault::note_service_key(ServiceKeyRotate const& m, Context& c) {
  if (auto good = access::check_segment("service", m.service); !good) return good.error();
  for (auto const* const key : {&m.old_key, &m.new_key})
    if (!bus::legal_key(*key))
      return Error{Code::invalid, "old_key and new_key take 40 characters of Z85 each"};
  if (m.old_key == m.new_key)
    return Error{Code::invalid, "the new key of " + m.service + " is its old one; make another"};
  c.note("service", m.service);
  c.note("old_key", m.old_key);
  c.note("new_key", m.new_key);
  return state(c.wall());
}

}  // namespace lepton::vault
