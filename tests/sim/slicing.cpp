// Slices in the simulated world: parts of the machines come, change their size and go while work is
// placed in them as on any node of the pool. In the end they go for good, once they are empty.

#include "schemas/slice.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

constexpr std::uint64_t slice_names = 3;

std::string slice_name(std::uint64_t number) {
  return "slice" + std::to_string(number);
}

}  // namespace

void Suite::slice_something() {
  auto const name = slice_name(chance_.below(slice_names));
  auto const kind = chance_.below(6);
  if (kind == 0) return ask(*admin_, "deployer", SliceRelease{name}, {.deadline_ms = 60'000});
  if (kind == 1) return ask(*admin_, "deployer", SliceList{});
  if (kind <= 3) return resize_slice(name);
  SliceCreate m;
  m.name = name;
  m.pool = m.from;
  m.size.cpu_milli = 500 * static_cast<std::int64_t>(1 + chance_.below(6));
  m.size.memory_mib = 1'024 * static_cast<std::int64_t>(1 + chance_.below(3));
  m.size.gpus = static_cast<std::uint32_t>(chance_.below(3));
  if (m.size.gpus == 1 && chance_.happens(0.5)) m.size.gpu_milli = 500;
  if (chance_.happens(0.3)) m.parts = 2;
  if (chance_.happens(0.3)) m.ports = 8;
  if (chance_.happens(0.3)) reserve_later(m);
  ask(*admin_, "deployer", m, {.deadline_ms = 60'000});
}

// Its room is kept for nobody's work, and lent meanwhile.
void Suite::reserve_later(SliceCreate& m) {
  auto const now = world_.machine("deployer").wall_ms();
  m.pool = PoolId{};
  m.window.begins_at_ms = now + static_cast<TimeMs>(chance_.below(30'000));
  if (chance_.happens(0.5))
    m.window.ends_at_ms =
        m.window.begins_at_ms + 1'000 + static_cast<TimeMs>(chance_.below(30'000));
}

void Suite::resize_slice(std::string const& name) {
  SliceResize m;
  m.name = name;
  if (chance_.happens(0.5)) m.cpu_milli = 500 * static_cast<std::int64_t>(1 + chance_.below(10));
  if (chance_.happens(0.5)) m.memory_mib = 1'024 * static_cast<std::int64_t>(1 + chance_.below(6));
  if (chance_.happens(0.5)) m.gpus = static_cast<std::int64_t>(chance_.below(4));
  if (m.gpus == 1) m.gpu_milli = chance_.happens(0.5) ? 1'000 : 300;
  ask(*admin_, "deployer", m, {.deadline_ms = 60'000});
}

// Until the end of the run: one that is in use is refused, and a late request may make another.
void Suite::release_slices() {
  for (std::uint64_t i = 0; i < slice_names && !slices_released(); ++i)
    ask(*admin_, "deployer", SliceRelease{slice_name(i)});
  world_.at(5'000, [this] { release_slices(); });
}

bool Suite::slices_released() {
  auto const* d = deployer();
  return d != nullptr && d->planned_slices() == 0 &&
         std::none_of(d->nodes().begin(), d->nodes().end(),
                      [](auto const& node) { return node.second.row.slice.has_value(); });
}

}  // namespace lepton::sim
