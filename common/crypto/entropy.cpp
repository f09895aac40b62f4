#include "common/crypto/entropy.hpp"

#include <openssl/rand.h>

#include "common/base/check.hpp"

namespace lepton::crypto {

std::string Entropy::bytes(std::size_t count) {
  std::string out(count, '\0');
  fill({reinterpret_cast<unsigned char*>(out.data()), out.size()});
  return out;
}

Secret<std::string> Entropy::secret(std::size_t count) {
  return Secret<std::string>(bytes(count));
}

void SystemEntropy::fill(std::span<unsigned char> out) {
  constexpr std::size_t limit = 1 << 20;  // OpenSSL counts in int
  while (!out.empty()) {
    auto const part = out.first(std::min(out.size(), limit));
    LEPTON_CHECK(RAND_priv_bytes(part.data(), static_cast<int>(part.size())) == 1,
                 "the kernel gave no entropy; check that getrandom() is allowed here");
    out = out.subspan(part.size());
  }
}

}  // namespace lepton::crypto
