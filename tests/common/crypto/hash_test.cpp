#include "common/crypto/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "tests/common/crypto/vectors.hpp"

namespace lepton::crypto {
namespace {

using crypto_test::bytes;
using crypto_test::hex;

TEST(Hash, known_answers_of_fips_180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Hash, pieces_give_the_hash_of_the_whole, (std::vector<std::string> const& pieces)) {
  static Sha256 reused;
  std::string whole;
  for (auto const& piece : pieces) {
    whole += piece;
    reused.update(piece);
  }
  RC_ASSERT(reused.finish() == sha256(whole));
}

TEST(Hash, threads_do_not_share_a_context) {
  std::array<std::thread, 4> threads;
  std::array<bool, 4> good{};
  for (std::size_t t = 0; t < threads.size(); ++t)
    threads[t] = std::thread([&good, t] {
      auto const text = std::string(1000, static_cast<char>('a' + t));
      auto const first = sha256(text);
      good[t] = true;
      for (int i = 0; i < 500; ++i) good[t] = good[t] && sha256(text) == first;
    });
  for (auto& thread : threads) thread.join();
  for (bool const one : good) EXPECT_TRUE(one);
}

TEST(Hmac, known_answers_of_rfc_4231) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, wycheproof) {
  LEPTON_VECTORS_OR_SKIP(all, "wycheproof/hmac_sha256_test.json");
  auto const count = crypto_test::each_test(*all, [](auto const& group, auto const& test) {
    auto const size = group.at("tagSize").template get<std::size_t>() / 8;
    auto const tag = hmac_sha256(bytes(test.at("key")), bytes(test.at("msg")));
    EXPECT_EQ(view(tag).substr(0, size) == bytes(test.at("tag")), test.at("result") == "valid");
  });
  EXPECT_GT(count, 100u);
}

TEST(Hkdf, known_answer_of_rfc_5869) {
  auto const out = hkdf_sha256(std::string(22, '\x0b'), bytes("000102030405060708090a0b0c"),
                               bytes("f0f1f2f3f4f5f6f7f8f9"), 42);
  EXPECT_EQ(hex(out.reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, wycheproof) {
  LEPTON_VECTORS_OR_SKIP(all, "wycheproof/hkdf_sha256_test.json");
  auto const count = crypto_test::each_test(*all, [](auto const&, auto const& test) {
    auto const size = test.at("size").template get<std::size_t>();
    if (size > 255 * sizeof(Hash)) {
      EXPECT_EQ(test.at("result"), "invalid");
      return;
    }
    auto const out =
        hkdf_sha256(bytes(test.at("ikm")), bytes(test.at("salt")), bytes(test.at("info")), size);
    EXPECT_EQ(out.reveal() == bytes(test.at("okm")), test.at("result") == "valid");
  });
  EXPECT_GT(count, 50u);
}

TEST(HkdfDeathTest, too_much_output_stops) {
  EXPECT_DEATH((void)hkdf_sha256("key", "", "", 255 * 32 + 1), "8160");
}

}  // namespace
}  // namespace lepton::crypto
