#include "services/vault/core/envelope.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/seeded_entropy.hpp"

namespace lepton::vault {
namespace {

Keyring ring(std::uint64_t seed = 1) {
  crypto::SeededEntropy entropy(seed);
  return Keyring::create(entropy.secret(32), 0);
}
crypto::SealNonce nonce(std::uint64_t seed = 7) {
  return crypto::SeededEntropy(seed).array<24>();
}
Place const place{"main", "secret/ml/hf", 3};

RC_GTEST_PROP(Envelope, opens_at_its_place, (std::string const& value, std::uint64_t seed)) {
  auto const keys = ring();
  auto const blob = encrypt(keys, place, nonce(seed), value);
  RC_ASSERT(decrypt(keys, place, blob).value().reveal() == value);
  RC_ASSERT(key_of(blob).value() == 1u);
  RC_ASSERT(value.size() < 8 || blob.find(value) == std::string::npos);
}

// Two different places never stand in for each other, whatever their texts are made of.
RC_GTEST_PROP(Envelope, does_not_open_at_another_place, ()) {
  auto const word = [] {
    return *rc::gen::resize(3, rc::gen::container<std::string>(rc::gen::element('a', '/', '1')));
  };
  Place const one{word(), word(), *rc::gen::inRange(0u, 3u)};
  Place const two{word(), word(), *rc::gen::inRange(0u, 3u)};
  bool const same = one.tenant == two.tenant && one.path == two.path && one.version == two.version;
  auto const keys = ring();
  RC_ASSERT(decrypt(keys, two, encrypt(keys, one, nonce(), "value")).has_value() == same);
}

TEST(Envelope, swaps_between_rows_are_found) {
  auto const keys = ring();
  auto const blob = encrypt(keys, place, nonce(), "value");
  for (auto const& other : {Place{"test", "secret/ml/hf", 3}, Place{"main", "secret/ml/hg", 3},
                            Place{"main", "secret/ml/hf", 2}, Place{"main", "secret/ml/hf", 4},
                            Place{"mainsecret", "/ml/hf", 3}}) {
    auto const refused = decrypt(keys, other, blob);
    ASSERT_FALSE(refused) << other.tenant << " " << other.path << " " << other.version;
    EXPECT_EQ(refused.error().code, Code::internal);
    EXPECT_NE(refused.error().what.find("changed or moved"), std::string::npos);
  }
}

TEST(Envelope, any_flipped_bit_or_cut_is_found) {
  auto keys = ring();
  ASSERT_TRUE(keys.rotate(crypto::SealKey(std::string(32, 'k')), 1));
  ASSERT_TRUE(keys.rotate(crypto::SealKey(std::string(32, 'k')), 2));  // same octets, another id
  auto const blob = encrypt(keys, place, nonce(), "value");
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    auto wrong = blob;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decrypt(keys, place, wrong)) << bit;
  }
  for (std::size_t size = 0; size < blob.size(); ++size)
    ASSERT_FALSE(decrypt(keys, place, blob.substr(0, size))) << size;
  EXPECT_FALSE(decrypt(keys, place, blob + "x"));
}

TEST(Envelope, rotation_keeps_old_values_and_renews_them) {
  auto keys = ring();
  auto const old = encrypt(keys, place, nonce(), "value");
  ASSERT_TRUE(keys.rotate(crypto::SeededEntropy(2).secret(32), 1));
  EXPECT_EQ(decrypt(keys, place, old).value().reveal(), "value");
  auto const fresh = renew(keys, place, nonce(8), old).value();
  EXPECT_EQ(key_of(fresh).value(), 2u);
  EXPECT_EQ(decrypt(keys, place, fresh).value().reveal(), "value");
  EXPECT_FALSE(renew(keys, Place{"main", "secret/x", 1}, nonce(9), old));
}

TEST(Envelope, a_key_that_is_not_there_is_named) {
  auto keys = ring();
  ASSERT_TRUE(keys.rotate(crypto::SeededEntropy(2).secret(32), 1));
  auto const blob = encrypt(keys, place, nonce(), "value");
  EXPECT_NE(decrypt(ring(), place, blob).error().what.find("no key 2"), std::string::npos);
  EXPECT_FALSE(decrypt(ring(5), place, encrypt(ring(), place, nonce(), "value")));
}

}  // namespace
}  // namespace lepton::vault
