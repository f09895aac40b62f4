#pragma once
// Chance: a seeded generator for jitter, simulation and tests. Never for keys, nonces or tokens;
// those come from crypto::Entropy. Source: xoshiro256** and splitmix64 by Blackman and Vigna
// (public domain).

#include <array>
#include <bit>
#include <cstdint>

namespace lepton {

// The finaliser of splitmix64: neighbours become strangers.
constexpr std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// splitmix64: moves the state on and gives the next number; the same in every language.
constexpr std::uint64_t splitmix(std::uint64_t& state) {
  return mixed(state += 0x9e3779b97f4a7c15u);
}

class Chance {
 public:
  explicit Chance(std::uint64_t seed) {
    for (auto& word : state_) word = splitmix(seed);
  }

  std::uint64_t next() {
    auto const result = std::rotl(state_[1] * 5, 7) * 9;
    auto const t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Below `limit`, which is above 0. The bias is under limit / 2^64.
  std::uint64_t below(std::uint64_t limit) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * limit) >> 64);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool happens(double probability) { return unit() < probability; }

 private:
  __extension__ using Wide = unsigned __int128;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace lepton
