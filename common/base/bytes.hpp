#pragma once
// Bytes: a string of octets that is not text. Codecs write it as msgpack bin, base64 JSON and
// bytea.

#include <compare>
#include <string>

namespace lepton {

struct Bytes {
  std::string data;
  auto operator<=>(Bytes const&) const = default;
};

}  // namespace lepton
