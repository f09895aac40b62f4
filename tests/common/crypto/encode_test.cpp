#include "common/crypto/encode.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/seeded_entropy.hpp"
#include "tests/common/crypto/vectors.hpp"

namespace lepton::crypto {
namespace {

TEST(Base64, known_answers_of_rfc_4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
}

TEST(Base64, strange_texts_are_refused) {
  for (auto const* text :
       {"Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zm8 ", "Zm8=\n", "-_8=", "====", "Zg==Zg=="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (auto const* text : {"Z", "Zh", "Zm9", "Zg==", "+/8", "Zm8 ", "Zm9vY"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

RC_GTEST_PROP(Base64, each_value_has_one_text, (std::string const& bytes)) {
  RC_ASSERT(from_base64(base64(bytes)) == bytes);
  RC_ASSERT(from_base64url(base64url(bytes)) == bytes);
}

RC_GTEST_PROP(Base64, what_is_read_is_written_the_same, ()) {
  auto const text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AZaz09-_g=")));
  if (auto const bytes = from_base64url(text)) RC_ASSERT(base64url(*bytes) == text);
  if (auto const bytes = from_base64(text)) RC_ASSERT(base64(*bytes) == text);
}

TEST(Z85, known_answer_of_zeromq_rfc_32) {
  auto const bytes = crypto_test::bytes(std::string("864fd26fb559f75b"));
  EXPECT_EQ(z85(bytes), "HelloWorld");
  EXPECT_EQ(from_z85("HelloWorld"), bytes);
}

TEST(Z85, strange_texts_are_refused) {
  EXPECT_EQ(from_z85("%nSc0"), std::string(4, '\xff'));
  EXPECT_FALSE(from_z85("%nSc1"));  // above 2^32 - 1
  EXPECT_FALSE(from_z85("#####"));
  EXPECT_FALSE(from_z85("Hell"));
  EXPECT_FALSE(from_z85("Hell~"));
  EXPECT_FALSE(from_z85("Hel o"));
}

RC_GTEST_PROP(Z85, a_key_has_forty_characters, ()) {
  auto const key = *rc::gen::container<std::string>(32, rc::gen::arbitrary<char>());
  RC_ASSERT(z85(key).size() == 40u);
  RC_ASSERT(from_z85(z85(key)) == key);
}

RC_GTEST_PROP(EqualConstantTime, says_what_plain_equality_says,
              (std::string const& a, std::string const& b)) {
  RC_ASSERT(equal_constant_time(a, b) == (a == b));
  RC_ASSERT(equal_constant_time(a, a));
  RC_ASSERT(!equal_constant_time(a, a + "x"));
}

TEST(Uuid7, carries_time_version_and_variant) {
  SeededEntropy entropy(1);
  auto const id = uuid7(entropy, 0x0123456789ab);
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id.substr(0, 15), "01234567-89ab-7");
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  for (std::size_t place : {8u, 13u, 18u, 23u}) EXPECT_EQ(id[place], '-');
  EXPECT_NE(id, uuid7(entropy, 0x0123456789ab));
  EXPECT_LT(id, uuid7(entropy, 0x0123456789ac));
}

}  // namespace
}  // namespace lepton::crypto
