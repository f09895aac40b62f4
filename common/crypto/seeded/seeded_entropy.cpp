#include "common/crypto/seeded_entropy.hpp"

namespace lepton::crypto {

void SeededEntropy::fill(std::span<unsigned char> out) {
  for (auto& octet : out) {
    if (used_ == block_.size()) {
      auto const input =
          "lepton seeded entropy " + std::to_string(seed_) + " " + std::to_string(counter_++);
      block_ = sha256(input);
      used_ = 0;
    }
    octet = block_[used_++];
  }
}

}  // namespace lepton::crypto
