#include "common/crypto/encode.hpp"

#include <openssl/crypto.h>

#include <array>
#include <cstdint>

#include "common/base/check.hpp"
#include "common/base/text.hpp"

namespace lepton::crypto {
namespace {

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view z85_letters =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

using Table = std::array<std::int8_t, 256>;

constexpr Table inverse(std::string_view letters) {
  Table table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = static_cast<std::int8_t>(i);
  return table;
}

std::uint32_t octet(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
}

std::string encode64(std::string_view bytes, std::string_view letters) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto const group = octet(bytes, i) << 16 | octet(bytes, i + 1) << 8 | octet(bytes, i + 2);
    auto const count = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t j = 0; j < count; ++j) out += letters[(group >> (18 - 6 * j)) & 63];
  }
  return out;
}

// `text` without padding. Leftover bits must be zero, so that each value has one text.
std::optional<std::string> decode64(std::string_view text, Table const& table) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (char const c : text) {
    auto const value = table[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
      bits &= (1u << count) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
  auto out = encode64(bytes, base64_letters);
  out.resize((out.size() + 3) / 4 * 4, '=');
  return out;
}

std::string base64url(std::string_view bytes) {
  return encode64(bytes, base64url_letters);
}

std::optional<std::string> from_base64(std::string_view text) {
  static constexpr auto table = inverse(base64_letters);
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode64(text, table);
}

std::optional<std::string> from_base64url(std::string_view text) {
  static constexpr auto table = inverse(base64url_letters);
  return decode64(text, table);
}

std::string z85(std::string_view bytes) {
  LEPTON_CHECK(bytes.size() % 4 == 0, "Z85 needs a multiple of 4 octets");
  std::string out(bytes.size() / 4 * 5, '\0');
  for (std::size_t i = 0, o = 0; i < bytes.size(); i += 4, o += 5) {
    auto group = octet(bytes, i) << 24 | octet(bytes, i + 1) << 16 | octet(bytes, i + 2) << 8 |
                 octet(bytes, i + 3);
    for (std::size_t j = 5; j-- > 0; group /= 85) out[o + j] = z85_letters[group % 85];
  }
  return out;
}

std::optional<std::string> from_z85(std::string_view text) {
  static constexpr auto table = inverse(z85_letters);
  if (text.size() % 5 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 5 * 4);
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::uint64_t group = 0;
    for (char const c : text.substr(i, 5)) {
      auto const value = table[static_cast<unsigned char>(c)];
      if (value < 0) return std::nullopt;
      group = group * 85 + static_cast<std::uint64_t>(value);
    }
    if (group > 0xffffffffu) return std::nullopt;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(group >> shift & 0xff);
  }
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string uuid7(Entropy& entropy, WallMs wall_ms) {
  auto octets = entropy.array<16>();
  for (std::size_t i = 0; i < 6; ++i)
    octets[i] = static_cast<unsigned char>(wall_ms >> (40 - 8 * i) & 0xff);
  octets[6] = static_cast<unsigned char>((octets[6] & 0x0f) | 0x70);
  octets[8] = static_cast<unsigned char>((octets[8] & 0x3f) | 0x80);
  auto out = text::hex({reinterpret_cast<char const*>(octets.data()), octets.size()});
  for (std::size_t place : {8u, 13u, 18u, 23u}) out.insert(place, 1, '-');
  return out;
}

}  // namespace lepton::crypto
