#include "common/base/secret.hpp"

#include <cstring>

namespace lepton {

void wipe(void* data, std::size_t size) noexcept {
  explicit_bzero(data, size);
}

}  // namespace lepton
