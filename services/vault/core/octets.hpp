#pragma once
// Fixed big-endian numbers and length-prefixed texts, for what is sealed or authenticated: each
// value has one form, so that no two places give the same octets. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace lepton::vault {

inline void put_number(std::string& out, std::uint64_t number, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift & 0xff);
}

inline void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size(), 8);
  out += text;
}

// Takes the number from the front; the caller has checked the size.
inline std::uint64_t take_number(std::string_view& in, std::size_t octets) {
  std::uint64_t number = 0;
  for (char const c : in.substr(0, octets)) number = number << 8 | static_cast<unsigned char>(c);
  in.remove_prefix(octets);
  return number;
}

}  // namespace lepton::vault
