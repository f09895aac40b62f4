#include "services/vault/core/keyring.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"
#include "services/vault/core/octets.hpp"

namespace lepton::vault {
namespace {

constexpr std::string_view magic = "LKR1";
constexpr std::size_t commitment_size = 32;
constexpr std::size_t nonce_size = sizeof(crypto::SealNonce);
constexpr std::size_t record_size = 4 + 8 + 1 + crypto::seal_key_size;

Secret<std::string> derived(RootKey const& root, std::string_view purpose) {
  return crypto::hkdf_sha256(root.reveal(), "lepton vault keyring v1", purpose,
                             crypto::seal_key_size);
}

std::string bound_to(std::string_view tenant) {
  std::string out = "lepton keyring v1\n";
  put_text(out, tenant);
  return out;
}

Error damaged() {
  return {Code::internal,
          "the stored keyring is damaged or belongs to another vault; restore the vault's rows "
          "with 'lepton restore'"};
}

Result<std::vector<DataKey>> read_keys(std::string_view text) {
  if (text.empty() || text.size() % record_size != 0 || text.size() / record_size > max_data_keys)
    return damaged();
  std::vector<DataKey> keys;
  while (!text.empty()) {
    DataKey key;
    key.id = static_cast<std::uint32_t>(take_number(text, 4));
    key.created_at_ms = static_cast<WallMs>(take_number(text, 8));
    key.state = static_cast<KeyState>(take_number(text, 1));
    key.key = crypto::SealKey(std::string(text.substr(0, crypto::seal_key_size)));
    text.remove_prefix(crypto::seal_key_size);
    auto const expected = text.empty() ? KeyState::active : KeyState::retired;
    if (key.state != expected || key.id <= (keys.empty() ? 0 : keys.back().id)) return damaged();
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

Result<RootKey> parse_root_key(std::string_view text) {
  auto octets = crypto::from_base64url(text::trim(text));
  if (!octets || octets->size() != crypto::seal_key_size)
    return Error{Code::invalid,
                 "this is no root key: it has 43 characters of A-Z a-z 0-9 - _; copy the whole "
                 "line that 'lepton vault init' gave"};
  return RootKey(std::move(*octets));
}

Secret<std::string> format_root_key(RootKey const& key) {
  return Secret<std::string>(crypto::base64url(key.reveal()));
}

Keyring Keyring::create(crypto::SealKey fresh, WallMs now_ms) {
  LEPTON_CHECK(fresh.reveal().size() == crypto::seal_key_size, "a data key has 32 octets");
  Keyring ring;
  ring.keys_.push_back({1, now_ms, KeyState::active, std::move(fresh)});
  return ring;
}

Status Keyring::rotate(crypto::SealKey fresh, WallMs now_ms) {
  LEPTON_CHECK(fresh.reveal().size() == crypto::seal_key_size, "a data key has 32 octets");
  if (keys_.size() >= max_data_keys)
    return Error{Code::exhausted,
                 "the keyring holds " + std::to_string(max_data_keys) +
                     " keys, which is the limit; put the secrets into a new vault"};
  keys_.back().state = KeyState::retired;
  keys_.push_back({keys_.back().id + 1, now_ms, KeyState::active, std::move(fresh)});
  return ok();
}

DataKey const* Keyring::find(std::uint32_t id) const {
  auto const found =
      std::lower_bound(keys_.begin(), keys_.end(), id,
                       [](DataKey const& key, std::uint32_t wanted) { return key.id < wanted; });
  return found != keys_.end() && found->id == id ? &*found : nullptr;
}

std::string Keyring::wrap(RootKey const& root, crypto::SealNonce const& nonce,
                          std::string_view tenant) const {
  LEPTON_CHECK(root.reveal().size() == crypto::seal_key_size, "a root key has 32 octets");
  std::string text;
  text.reserve(keys_.size() * record_size);  // no growth, so that no copy of a key stays behind
  for (auto const& key : keys_) {
    put_number(text, key.id, 4);
    put_number(text, static_cast<std::uint64_t>(key.created_at_ms), 8);
    put_number(text, static_cast<std::uint64_t>(key.state), 1);
    text += key.key.reveal();
  }
  Secret<std::string> const plain(std::move(text));
  return std::string(magic) + derived(root, "commitment").reveal() +
         std::string(crypto::view(nonce)) +
         crypto::seal(derived(root, "seal"), nonce, bound_to(tenant), plain.reveal());
}

Result<Keyring> Keyring::unwrap(RootKey const& root, std::string_view tenant,
                                std::string_view wrapped) {
  if (root.reveal().size() != crypto::seal_key_size)
    return Error{Code::invalid, "a root key has 32 octets"};
  if (wrapped.size() < magic.size() + commitment_size + nonce_size || !wrapped.starts_with(magic))
    return damaged();
  wrapped.remove_prefix(magic.size());
  if (!crypto::equal_constant_time(wrapped.substr(0, commitment_size),
                                   derived(root, "commitment").reveal()))
    return Error{Code::denied,
                 "this root key does not belong to this vault; use the key that 'lepton vault "
                 "init' gave, or the vault's own key file"};
  wrapped.remove_prefix(commitment_size);
  crypto::SealNonce nonce{};
  std::copy_n(wrapped.begin(), nonce_size, nonce.begin());
  auto const text =
      crypto::open(derived(root, "seal"), nonce, bound_to(tenant), wrapped.substr(nonce_size));
  if (!text) return damaged();
  auto keys = read_keys(text->reveal());
  if (!keys) return keys.error();
  Keyring ring;
  ring.keys_ = std::move(*keys);
  return ring;
}

}  // namespace lepton::vault
