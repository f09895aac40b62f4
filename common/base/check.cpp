#include "common/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace lepton {

void check_failed(char const* condition, char const* why, char const* file, int line) {
  std::fprintf(stderr, "lepton: invariant broken at %s:%d: %s (%s)\n", file, line, why, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace lepton
