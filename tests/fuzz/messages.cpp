// Every message: the first octets choose which (message_key.hpp), the rest is its body. What is
// accepted must come back from its own encoding as the same octets. The list is made from
// schemas/*.hpp by CMake.

#include "common/base/check.hpp"
#include "common/codec/msgpack.hpp"
#include "headers.inc"
#include "tests/fuzz/message_key.hpp"

namespace {

using namespace lepton;

template <class M>
void try_message(std::string_view body) {
  auto const message = codec::decode<M>(body);
  if (!message) {
    LEPTON_CHECK(!message.error().what.empty(), "a refusal says why");
    return;
  }
  auto const encoded = codec::encode(*message);
  auto const again = codec::decode<M>(encoded);
  LEPTON_CHECK(again && codec::encode(*again) == encoded,
               "a message does not survive its own codec");
}

struct Target {
  std::uint32_t key;
  void (*run)(std::string_view);
};
Target const all_messages[] = {
#define LEPTON_MESSAGE(M) {fuzz::message_key(#M), &try_message<M>},
#include "messages.inc"
#undef LEPTON_MESSAGE
};

}  // namespace

// A key that is nobody's stands for one of them all the same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < fuzz::key_octets) return 0;
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  auto const key = fuzz::key_of(input);
  auto const* target = &all_messages[key % std::size(all_messages)];
  for (auto const& one : all_messages)
    if (one.key == key) target = &one;
  target->run(input.substr(fuzz::key_octets));
  return 0;
}
