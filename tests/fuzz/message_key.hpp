#pragma once
// The first octets of an input of the message fuzzer say which message the rest is the body of: a
// hash of its name, so that a seed keeps its meaning when messages are added. FNV-1a, 32 bits
// (Fowler, Noll and Vo). Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace lepton::fuzz {

inline constexpr std::size_t key_octets = 4;

constexpr std::uint32_t message_key(std::string_view name) {
  std::uint32_t hash = 2'166'136'261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return hash;
}

inline std::string key_text(std::uint32_t key) {
  std::string octets;
  for (std::size_t i = 0; i < key_octets; ++i) octets += static_cast<char>(key >> (8 * i));
  return octets;
}

inline std::uint32_t key_of(std::string_view octets) {
  std::uint32_t key = 0;
  for (std::size_t i = 0; i < key_octets; ++i)
    key |= std::uint32_t{static_cast<unsigned char>(octets[i])} << (8 * i);
  return key;
}

}  // namespace lepton::fuzz
