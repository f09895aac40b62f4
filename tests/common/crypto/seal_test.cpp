#include "common/crypto/seal.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/gcm.hpp"
#include "tests/common/crypto/vectors.hpp"

namespace lepton::crypto {
namespace {

using crypto_test::bytes;
using crypto_test::hex;

SealKey key_of(std::string text) {
  return SealKey(std::move(text));
}
SealNonce nonce_of(std::string_view text) {
  SealNonce nonce{};
  std::copy_n(text.begin(), nonce.size(), nonce.begin());
  return nonce;
}

// One SHAKE-128 output of a given length, in one piece (OpenSSL 3.0 cannot squeeze twice).
std::string shake128(std::string_view in, std::size_t size) {
  std::string out(size, '\0');
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(context.get(), in.data(), in.size()), 1);
  EXPECT_EQ(EVP_DigestFinalXOF(context.get(), reinterpret_cast<unsigned char*>(out.data()), size),
            1);
  return out;
}

TEST(Seal, known_answers_of_c2sp) {
  auto const nonce = nonce_of("ABCDEFGHIJKLMNOPQRSTUVWX");
  EXPECT_EQ(hex(seal(key_of(std::string(32, '\1')), nonce, "", "XAES-256-GCM")),
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  EXPECT_EQ(
      hex(seal(key_of(std::string(32, '\3')), nonce, "c2sp.org/XAES-256-GCM", "XAES-256-GCM")),
      "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

// 10,000 random messages in one answer; the constant is published with the algorithm.
TEST(Seal, accumulated_answer_of_c2sp) {
  constexpr std::size_t rounds = 10'000;
  auto const stream = shake128("", rounds * (32 + 24 + 2 + 2 * 255));
  std::string_view rest = stream;
  auto const take = [&](std::size_t size) {
    auto const part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  std::string sealed;
  for (std::size_t i = 0; i < rounds; ++i) {
    auto const key = key_of(std::string(take(32)));
    auto const nonce = nonce_of(take(24));
    auto const text = take(static_cast<unsigned char>(take(1)[0]));
    auto const aad = take(static_cast<unsigned char>(take(1)[0]));
    auto const one = seal(key, nonce, aad, text);
    ASSERT_EQ(open(key, nonce, aad, one).value().reveal(), text);
    sealed += one;
  }
  EXPECT_EQ(hex(shake128(sealed, 32)),
            "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

TEST(Seal, published_file) {
  LEPTON_VECTORS_OR_SKIP(all, "xaes-256-gcm/xaes_256_gcm_vectors.json");
  for (auto const& test : all->at("vectors")) {
    auto const sealed = seal(key_of(bytes(test.at("key"))), nonce_of(bytes(test.at("nonce"))),
                             bytes(test.at("aad")), bytes(test.at("plaintext")));
    EXPECT_EQ(hex(sealed), test.at("ciphertext"));
  }
  EXPECT_EQ(all->at("vectors").size(), 2u);
}

TEST(Seal, any_flipped_bit_is_found) {
  auto const key = key_of(std::string(32, 'k'));
  auto const nonce = nonce_of(std::string(24, 'n'));
  auto const sealed = seal(key, nonce, "place", "value");
  ASSERT_EQ(open(key, nonce, "place", sealed).value().reveal(), "value");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto wrong = sealed;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(open(key, nonce, "place", wrong).error().code, Code::denied) << bit;
  }
  for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit) {
    auto wrong = nonce;
    wrong[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    ASSERT_FALSE(open(key, wrong, "place", sealed)) << bit;
  }
  EXPECT_FALSE(open(key_of(std::string(32, 'l')), nonce, "place", sealed));
  EXPECT_FALSE(open(key, nonce, "palce", sealed));
}

RC_GTEST_PROP(Seal, opens_what_it_sealed, (std::string const& text, std::string const& aad)) {
  auto const key = key_of(*rc::gen::container<std::string>(32, rc::gen::arbitrary<char>()));
  auto const nonce = nonce_of(*rc::gen::container<std::string>(24, rc::gen::arbitrary<char>()));
  auto const sealed = seal(key, nonce, aad, text);
  RC_ASSERT(sealed.size() == text.size() + seal_tag_size);
  RC_ASSERT(open(key, nonce, aad, sealed).value().reveal() == text);
  auto const cut = *rc::gen::inRange<std::size_t>(0, sealed.size());
  RC_ASSERT(!open(key, nonce, aad, sealed.substr(0, cut)));
  RC_ASSERT(!open(key, nonce, aad, sealed + "x"));
}

TEST(SealDeathTest, a_short_key_stops) {
  EXPECT_DEATH((void)seal(key_of("short"), SealNonce{}, "", ""), "32 octets");
}

TEST(Gcm, wycheproof) {
  LEPTON_VECTORS_OR_SKIP(all, "wycheproof/aes_gcm_test.json");
  std::size_t checked = 0;
  crypto_test::each_test(*all, [&](auto const& group, auto const& test) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128)
      return;
    auto const key = bytes(test.at("key")), nonce = bytes(test.at("iv"));
    auto const aad = bytes(test.at("aad")), text = bytes(test.at("msg"));
    auto const sealed = bytes(test.at("ct")) + bytes(test.at("tag"));
    bool const valid = test.at("result") == "valid";
    auto const opened = gcm_open(key, nonce, aad, sealed);
    ASSERT_EQ(opened.has_value(), valid);
    if (valid) {
      EXPECT_EQ(opened->reveal(), text);
    }
    EXPECT_EQ(gcm_seal(key, nonce, aad, text) == sealed, valid);
    ++checked;
  });
  EXPECT_GT(checked, 50u);
}

// FIPS 197, appendix C.3.
TEST(Gcm, known_answer_of_one_block) {
  EXPECT_EQ(
      hex(aes_blocks(bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                     bytes("00112233445566778899aabbccddeeff"))),
      "8ea2b7ca516745bfeafc49904b496089");
}

}  // namespace
}  // namespace lepton::crypto
