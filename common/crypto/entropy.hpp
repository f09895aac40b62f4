#pragma once
// Entropy: where keys, nonces and tokens come from. A port, so that a simulation can be repeated;
// its seeded twin (seeded_entropy.hpp) is a library of its own that no service links.
// Any thread may use SystemEntropy.

#include <array>
#include <span>
#include <string>

#include "common/base/secret.hpp"

namespace lepton::crypto {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<unsigned char> out) = 0;

  std::string bytes(std::size_t count);
  Secret<std::string> secret(std::size_t count);  // for key material: overwritten after use

  template <std::size_t N>
  std::array<unsigned char, N> array() {
    std::array<unsigned char, N> out{};
    fill(out);
    return out;
  }
};

// OpenSSL's private generator, seeded by the kernel. The process stops if the kernel gives nothing.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<unsigned char> out) override;
};

}  // namespace lepton::crypto
