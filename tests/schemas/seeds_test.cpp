// The seeds of the message fuzzer are what their names say: each message has one, which is read.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "common/codec/msgpack.hpp"
#include "headers.inc"
#include "tests/fuzz/message_key.hpp"

namespace lepton {
namespace {

char const* const advice = "; run: build/release/bin/seed_messages tests/fuzz/corpus/messages";

template <class M>
void expect_seed(std::string const& name) {
  std::ifstream file("tests/fuzz/corpus/messages/" + name, std::ios::binary);
  std::string const seed{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(seed.size(), fuzz::key_octets) << name << " has no seed" << advice;
  EXPECT_EQ(fuzz::key_of(seed), fuzz::message_key(name)) << name << " has another's" << advice;
  auto const read = codec::decode<M>(std::string_view(seed).substr(fuzz::key_octets));
  EXPECT_TRUE(read) << name << ": " << read.error().what << advice;
}

TEST(Seeds, EachMessageHasOneThatIsRead) {
#define LEPTON_MESSAGE(M) expect_seed<M>(#M);
#include "messages.inc"
#undef LEPTON_MESSAGE
}

TEST(Seeds, NoTwoMessagesHaveOneKey) {
  std::set<std::uint32_t> keys;
#define LEPTON_MESSAGE(M) EXPECT_TRUE(keys.insert(fuzz::message_key(#M)).second) << #M;
#include "messages.inc"
#undef LEPTON_MESSAGE
}

}  // namespace
}  // namespace lepton
