#include "common/crypto/sign.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/hash.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "tests/common/crypto/vectors.hpp"

namespace lepton::crypto {
namespace {

using crypto_test::bytes;
using crypto_test::hex;

SigningKey key_of(std::string const& seed) {
  return SigningKey::from_seed(Secret<std::string>(bytes(seed))).value();
}

struct Known {
  char const *seed, *public_key, *message, *signature;
};
constexpr Known rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"}};

TEST(Sign, known_answers_of_rfc_8032) {
  for (auto const& known : rfc8032) {
    auto const key = key_of(known.seed);
    EXPECT_EQ(hex(key.public_key()), known.public_key);
    EXPECT_EQ(hex(key.sign(bytes(known.message))), known.signature);
    EXPECT_TRUE(VerifyKey(key.public_key()).verify(bytes(known.message), bytes(known.signature)));
  }
}

TEST(Sign, wycheproof) {
  LEPTON_VECTORS_OR_SKIP(all, "wycheproof/ed25519_test.json");
  auto const count = crypto_test::each_test(*all, [](auto const& group, auto const& test) {
    auto const key = VerifyKey::from_bytes(bytes(group.at("publicKey").at("pk"))).value();
    EXPECT_EQ(key.verify(bytes(test.at("msg")), bytes(test.at("sig"))),
              test.at("result") == "valid");
  });
  EXPECT_GT(count, 100u);
}

RC_GTEST_PROP(Sign, any_flipped_bit_is_found, (std::string const& message, std::uint64_t seed)) {
  SeededEntropy entropy(seed);
  auto const key = SigningKey::create(entropy);
  VerifyKey const verify(key.public_key());
  auto const signature = key.sign(message);
  RC_ASSERT(verify.verify(message, view(signature)));

  auto wrong = signature;
  auto const bit = *rc::gen::inRange<std::size_t>(0, 512);
  wrong[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
  RC_ASSERT(!verify.verify(message, view(wrong)));
  RC_ASSERT(!verify.verify(message + "x", view(signature)));
  RC_ASSERT(!VerifyKey(SigningKey::create(entropy).public_key()).verify(message, view(signature)));
}

TEST(Sign, wrong_sizes_are_refused) {
  EXPECT_EQ(SigningKey::from_seed(Secret<std::string>("short")).error().code, Code::invalid);
  EXPECT_EQ(VerifyKey::from_bytes(std::string(33, 'x')).error().code, Code::invalid);
  auto const key = key_of(rfc8032[0].seed);
  auto const signature = key.sign("text");
  EXPECT_FALSE(VerifyKey(key.public_key()).verify("text", view(signature).substr(0, 63)));
  EXPECT_FALSE(VerifyKey(key.public_key()).verify("text", ""));
}

TEST(Sign, a_public_key_that_is_no_point_verifies_nothing) {
  PublicKey nonsense{};
  nonsense.fill(0xff);
  EXPECT_FALSE(VerifyKey(nonsense).verify("text", std::string(64, '\0')));
}

}  // namespace
}  // namespace lepton::crypto
