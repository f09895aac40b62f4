// Every message: the first octets choose which, the rest is its body. What is accepted must come
// back from its own encoding as the same octets. The list is made from schemas/*.hpp by CMake.

#include "common/base/check.hpp"
#include "common/codec/msgpack.hpp"
#include "headers.inc"

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

using Try = void (*)(std::string_view);
Try const all_messages[] = {
#define LEPTON_MESSAGE(M) &try_message<M>,
#include "messages.inc"
#undef LEPTON_MESSAGE
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const body(reinterpret_cast<char const*>(data) + 1, size - 1);
  all_messages[data[0] % std::size(all_messages)](body);
  return 0;
}
