// Prints every message of this version, filled, as "NAME HEX" on a line each: what is kept in
// recorded/VERSION.hex.

#include <cstdio>

#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"
#include "headers.inc"
#include "tests/schemas/filled.hpp"

int main() {
  using namespace lepton;
#define LEPTON_MESSAGE(M) \
  std::printf("%s %s\n", #M, text::hex(codec::encode(test::filled<M>())).c_str());
#include "messages.inc"
#undef LEPTON_MESSAGE
}
