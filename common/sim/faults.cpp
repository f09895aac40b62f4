#include "common/sim/faults.hpp"

#include <fmt/format.h>

#include "common/base/random.hpp"

namespace lepton::sim {

Faults Faults::draw(std::uint64_t seed) {
  Chance chance(seed ^ 0x6c6570746f6eu);
  auto const on = [&chance] { return chance.happens(0.5); };
  auto const between = [&chance](TimeMs low, TimeMs high) {
    return low + static_cast<TimeMs>(chance.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  Faults f;
  f.delay_max_ms = between(1, 20);
  f.store_delay_max_ms = between(1, 10);
  if (on()) f.slow = chance.unit() * 0.1, f.slow_max_ms = between(50, 3'000);
  if (on()) f.loss = chance.unit() * 0.2;
  if (on()) f.duplicate = chance.unit() * 0.2;
  if (on()) f.cut_every_ms = between(2'000, 20'000), f.cut_max_ms = between(100, 15'000);
  if (on()) f.crash_every_ms = between(1'000, 20'000), f.restart_max_ms = between(10, 5'000);
  if (on()) f.crash_at_commit = chance.unit() * 0.02;
  if (on())
    f.store_away_every_ms = between(3'000, 30'000), f.store_away_max_ms = between(50, 5'000);
  if (on()) f.in_doubt = chance.unit() * 0.02;
  if (on()) f.rejected = chance.unit() * 0.01;
  if (on())
    f.wall_jump_every_ms = between(5'000, 30'000), f.wall_jump_max_ms = between(100, 3'600'000);
  return f;
}

Faults Faults::healed() const {
  Faults calm;
  calm.delay_min_ms = delay_min_ms;
  calm.delay_max_ms = delay_max_ms;
  calm.store_delay_max_ms = store_delay_max_ms;
  return calm;
}

std::string Faults::text() const {
  return fmt::format(
      "delay {}..{} ms, slow {:.3f} to {} ms, loss {:.3f}, duplicate {:.3f}, cut every {} for {} "
      "ms, "
      "crash every {} ms and {:.3f} at commit, back within {} ms, store {} ms, away every {} for "
      "{} ms, "
      "in doubt {:.3f}, rejected {:.3f}, wall jump every {} by {} ms",
      delay_min_ms, delay_max_ms, slow, slow_max_ms, loss, duplicate, cut_every_ms, cut_max_ms,
      crash_every_ms, crash_at_commit, restart_max_ms, store_delay_max_ms, store_away_every_ms,
      store_away_max_ms, in_doubt, rejected, wall_jump_every_ms, wall_jump_max_ms);
}

}  // namespace lepton::sim
