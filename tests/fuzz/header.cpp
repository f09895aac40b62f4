// What stands in front of every message, from somebody who is not known yet: the whole frame with
// the size of its header, the header alone (so that a mutation rarely spoils the size), and a hint.

#include "common/base/check.hpp"
#include "common/bus/frames.hpp"
#include "common/codec/msgpack.hpp"

namespace {

using namespace lepton;

void check_header(Header const& header) {
  LEPTON_CHECK(header.version == 1 && bus::legal_id(header.id), "a header that must be refused");
  auto const again = codec::decode<Header>(codec::encode(header));
  LEPTON_CHECK(again && codec::encode(*again) == codec::encode(header),
               "a header does not survive its own codec");
}

void try_header(std::string_view bytes, bus::Side side) {
  Header header;
  if (bus::read_header(bytes, side, {}, header) == bus::Fault::none) check_header(header);
}

// What is taken says the same when it is packed again; what is not names a fault and hands over no
// body.
void try_frame(std::string_view bytes, bus::Side side) {
  bus::Received got, again;
  bus::read_frame(bytes, side, {}, got);
  if (got.fault != bus::Fault::none) {
    LEPTON_CHECK(got.body.empty() && !bus::explain(got.fault, {}).empty(), "a refusal says why");
    LEPTON_CHECK(got.header.id.empty() || bus::legal_id(got.header.id), "whom to refuse");
    return;
  }
  check_header(got.header);
  LEPTON_CHECK(bytes.ends_with(got.body), "a body that was not sent");
  auto const header = codec::encode(got.header);
  bus::read_frame(std::string(bus::header_size(header)) + header + got.body, side, {}, again);
  LEPTON_CHECK(again.fault == bus::Fault::none && again.body == got.body &&
                   codec::encode(again.header) == header,
               "a frame does not survive its own packing");
}

void try_hint(std::string_view bytes) {
  Hint hint, again;
  if (!bus::read_hint(bytes, "deployer", {}, hint)) return;
  LEPTON_CHECK(hint.sender == "deployer", "a hint that speaks for another");
  auto const packed = hint.stream + std::string(bus::topic_end) + codec::encode(hint);
  LEPTON_CHECK(
      bus::read_hint(packed, "deployer", {}, again) && codec::encode(again) == codec::encode(hint),
      "a hint does not survive its own packing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  for (auto const side : {bus::Side::server, bus::Side::client}) {
    try_header(bytes, side);
    try_frame(bytes, side);
  }
  try_hint(bytes);
  return 0;
}
