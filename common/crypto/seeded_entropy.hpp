#pragma once
// SeededEntropy: repeatable octets for simulation and tests, SHA-256(seed, counter). Anyone who
// knows the seed knows the keys: it lives in lepton_crypto_sim, which no service links. One thread.

#include <cstdint>

#include "common/crypto/entropy.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::crypto {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : seed_(seed) {}
  void fill(std::span<unsigned char> out) override;

 private:
  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
  Hash block_{};
  std::size_t used_ = sizeof(Hash);
};

}  // namespace lepton::crypto
