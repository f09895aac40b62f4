#include "services/vault/core/envelope.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"
#include "services/vault/core/octets.hpp"

namespace lepton::vault {
namespace {

constexpr std::uint64_t format = 1;
constexpr std::size_t nonce_size = sizeof(crypto::SealNonce);
constexpr std::size_t head_size = 1 + 4;

std::string bound_to(Place const& place, std::uint32_t key) {
  std::string out = "lepton secret v1\n";
  put_text(out, place.tenant);
  put_text(out, place.path);
  put_number(out, place.version, 4);
  put_number(out, key, 4);
  return out;
}

Error damaged(Place const& place, std::string const& why) {
  return {Code::internal, "version " + std::to_string(place.version) + " of " + place.path +
                              " does not open: " + why +
                              "; put the value again or restore it with 'lepton restore'"};
}

}  // namespace

std::string encrypt(Keyring const& keys, Place const& place, crypto::SealNonce const& nonce,
                    std::string_view value) {
  auto const& key = keys.active();
  std::string blob;
  put_number(blob, format, 1);
  put_number(blob, key.id, 4);
  blob += crypto::view(nonce);
  return blob + crypto::seal(key.key, nonce, bound_to(place, key.id), value);
}

Result<std::uint32_t> key_of(std::string_view blob) {
  if (blob.size() < head_size + nonce_size + crypto::seal_tag_size ||
      take_number(blob, 1) != format)
    return Error{Code::internal, "the stored value has an unknown format"};
  return static_cast<std::uint32_t>(take_number(blob, 4));
}

Result<Secret<std::string>> decrypt(Keyring const& keys, Place const& place,
                                    std::string_view blob) {
  auto const id = key_of(blob);
  if (!id) return damaged(place, id.error().what);
  auto const* const key = keys.find(*id);
  if (key == nullptr) return damaged(place, "the keyring has no key " + std::to_string(*id));
  crypto::SealNonce nonce{};
  std::copy_n(blob.begin() + head_size, nonce_size, nonce.begin());
  auto value =
      crypto::open(key->key, nonce, bound_to(place, *id), blob.substr(head_size + nonce_size));
  if (!value) return damaged(place, "the stored value was changed or moved");
  return value;
}

Result<std::string> renew(Keyring const& keys, Place const& place, crypto::SealNonce const& nonce,
                          std::string_view blob) {
  auto const value = decrypt(keys, place, blob);
  if (!value) return value.error();
  return encrypt(keys, place, nonce, value->reveal());
}

}  // namespace lepton::vault
