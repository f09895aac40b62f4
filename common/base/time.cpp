#include "common/base/time.hpp"

#include <ctime>

namespace lepton {
namespace {

std::int64_t read_ms(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace

TimeMs SystemClock::now_ms() const {
  return read_ms(CLOCK_BOOTTIME);
}
WallMs SystemClock::wall_ms() const {
  return read_ms(CLOCK_REALTIME);
}

}  // namespace lepton
