// What stands in front of every message, from somebody who is not known yet.

#include "common/base/check.hpp"
#include "common/bus/frames.hpp"
#include "common/codec/msgpack.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  for (auto const side : {bus::Side::server, bus::Side::client}) {
    Header header;
    if (bus::read_header(bytes, side, {}, header) != bus::Fault::none) continue;
    LEPTON_CHECK(header.version == 1 && bus::legal_id(header.id), "a header that must be refused");
    auto const again = codec::decode<Header>(codec::encode(header));
    LEPTON_CHECK(again && codec::encode(*again) == codec::encode(header),
                 "a header does not survive its own codec");
  }
  return 0;
}
