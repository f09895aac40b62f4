#include "services/vault/core/keyring.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/seeded_entropy.hpp"

namespace lepton::vault {
namespace {

crypto::SealKey key(char fill) {
  return crypto::SealKey(std::string(32, fill));
}
crypto::SealNonce nonce(std::uint64_t seed = 1) {
  return crypto::SeededEntropy(seed).array<24>();
}

Keyring ring_of(int keys) {
  auto ring = Keyring::create(key('a'), 1000);
  for (int i = 1; i < keys; ++i)
    EXPECT_TRUE(ring.rotate(key(static_cast<char>('a' + i)), 1000 + i));
  return ring;
}

TEST(RootKey, has_one_text) {
  auto const text = format_root_key(key('r'));
  EXPECT_EQ(text.reveal().size(), 43u);
  EXPECT_EQ(parse_root_key(text.reveal()).value().reveal(), std::string(32, 'r'));
  EXPECT_EQ(parse_root_key(" " + text.reveal() + "\n").value().reveal(), std::string(32, 'r'));
  for (auto const& wrong : {std::string(), std::string("short"), text.reveal().substr(1),
                            text.reveal() + "A", text.reveal() + "=", std::string(43, '+')}) {
    auto const refused = parse_root_key(wrong);
    ASSERT_EQ(refused.error().code, Code::invalid) << wrong;
    if (!wrong.empty()) {
      EXPECT_EQ(refused.error().what.find(wrong), std::string::npos);
    }
  }
}

TEST(Keyring, the_newest_key_is_active_and_old_ones_stay) {
  auto const ring = ring_of(3);
  EXPECT_EQ(ring.active().id, 3u);
  EXPECT_EQ(ring.active().key.reveal(), std::string(32, 'c'));
  ASSERT_NE(ring.find(1), nullptr);
  EXPECT_EQ(ring.find(1)->state, KeyState::retired);
  EXPECT_EQ(ring.find(1)->key.reveal(), std::string(32, 'a'));
  EXPECT_EQ(ring.find(2)->created_at_ms, 1001);
  EXPECT_EQ(ring.find(0), nullptr);
  EXPECT_EQ(ring.find(4), nullptr);
}

TEST(Keyring, has_a_limit) {
  auto ring = Keyring::create(key('a'), 0);
  for (std::size_t i = 1; i < max_data_keys; ++i) ASSERT_TRUE(ring.rotate(key('b'), 0));
  EXPECT_EQ(ring.rotate(key('c'), 0).error().code, Code::exhausted);
  EXPECT_EQ(ring.active().key.reveal(), std::string(32, 'b'));
  auto const wrapped = ring.wrap(key('r'), nonce(), "main");
  EXPECT_EQ(Keyring::unwrap(key('r'), "main", wrapped).value().keys().size(), max_data_keys);
}

RC_GTEST_PROP(Keyring, unwraps_what_it_wrapped, ()) {
  auto const ring = ring_of(*rc::gen::inRange(1, 6));
  auto const wrapped = ring.wrap(key('r'), nonce(*rc::gen::arbitrary<std::uint64_t>()), "main");
  auto const again = Keyring::unwrap(key('r'), "main", wrapped).value();
  RC_ASSERT(again.keys().size() == ring.keys().size());
  for (auto const& one : ring.keys()) {
    auto const* const other = again.find(one.id);
    RC_ASSERT(other != nullptr && other->key.reveal() == one.key.reveal());
    RC_ASSERT(other->created_at_ms == one.created_at_ms && other->state == one.state);
    RC_ASSERT(wrapped.find(one.key.reveal()) == std::string::npos);
  }
}

TEST(Keyring, a_wrong_root_key_is_told_apart_from_damage) {
  auto const wrapped = ring_of(2).wrap(key('r'), nonce(), "main");
  auto const wrong = Keyring::unwrap(key('s'), "main", wrapped);
  EXPECT_EQ(wrong.error().code, Code::denied);
  EXPECT_NE(wrong.error().what.find("lepton vault init"), std::string::npos);
  EXPECT_EQ(Keyring::unwrap(key('r'), "other", wrapped).error().code, Code::internal);
  EXPECT_EQ(Keyring::unwrap(RootKey("short"), "main", wrapped).error().code, Code::invalid);
}

TEST(Keyring, any_flipped_bit_or_cut_is_found) {
  auto const wrapped = ring_of(2).wrap(key('r'), nonce(), "main");
  for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
    auto wrong = wrapped;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(Keyring::unwrap(key('r'), "main", wrong)) << bit;
  }
  for (std::size_t size = 0; size < wrapped.size(); ++size)
    ASSERT_FALSE(Keyring::unwrap(key('r'), "main", wrapped.substr(0, size))) << size;
}

TEST(Keyring, a_new_root_key_ends_the_old_one) {
  auto const old = ring_of(2).wrap(key('r'), nonce(), "main");
  auto const ring = Keyring::unwrap(key('r'), "main", old).value();
  auto const fresh = ring.wrap(key('n'), nonce(2), "main");
  EXPECT_EQ(Keyring::unwrap(key('n'), "main", fresh).value().active().id, 2u);
  EXPECT_EQ(Keyring::unwrap(key('r'), "main", fresh).error().code, Code::denied);
}

}  // namespace
}  // namespace lepton::vault
