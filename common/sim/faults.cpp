#include "common/sim/faults.hpp"

#include <fmt/format.h>

#include <variant>

#include "common/base/random.hpp"

namespace lepton::sim {
namespace {

// How often it happens, and how long or far it goes at most.
struct Kind {
  std::string_view name;
  std::variant<double Faults::*, TimeMs Faults::*> rate;
  TimeMs Faults::*most = nullptr;

  bool is_on(Faults const& f) const {
    return std::visit([&f](auto member) { return f.*member > 0; }, rate);
  }
  void remove(Faults& f) const {
    std::visit([&f](auto member) { f.*member = 0; }, rate);
  }
  std::string text(Faults const& f) const {
    auto said = std::holds_alternative<double Faults::*>(rate)
                    ? fmt::format("{} {:.4f}", name, f.*std::get<double Faults::*>(rate))
                    : fmt::format("{} {}", name, f.*std::get<TimeMs Faults::*>(rate));
    return most == nullptr ? said : said + fmt::format(" (to {})", f.*most);
  }
};

using F = Faults;
Kind const all_kinds[] = {
    {"slow", &F::slow, &F::slow_max_ms},
    {"loss", &F::loss},
    {"duplicate", &F::duplicate},
    {"cut", &F::cut_every_ms, &F::cut_max_ms},
    {"crash", &F::crash_every_ms, &F::restart_max_ms},
    {"crash_before_commit", &F::crash_before_commit},
    {"crash_at_commit", &F::crash_at_commit},
    {"crash_at_send", &F::crash_at_send},
    {"store_away", &F::store_away_every_ms, &F::store_away_max_ms},
    {"in_doubt", &F::in_doubt},
    {"rejected", &F::rejected},
    {"wall_jump", &F::wall_jump_every_ms, &F::wall_jump_max_ms},
    {"stall", &F::stall_every_ms, &F::stall_max_ms},
    {"takeover", &F::takeover_every_ms, &F::takeover_old_max_ms},
    {"lease_cut", &F::lease_cut_every_ms, &F::lease_cut_old_max_ms},
    {"drift", &F::drift_max_ppm},
    {"lag", &F::lag_max_ms},
};

Kind const* find(std::string_view name) {
  for (auto const& kind : all_kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace

Faults Faults::draw(std::uint64_t seed) {
  Chance chance(seed ^ 0x6c6570746f6eu);
  auto const on = [&chance] { return chance.happens(0.5); };
  auto const seldom = [&chance] { return chance.happens(0.3); };
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
  if (seldom()) f.crash_before_commit = chance.unit() * 0.02;
  if (seldom()) f.crash_at_send = chance.unit() * 0.002;
  if (seldom()) f.stall_every_ms = between(5'000, 30'000), f.stall_max_ms = between(100, 20'000);
  if (seldom())
    f.takeover_every_ms = between(3'000, 30'000), f.takeover_old_max_ms = between(100, 20'000);
  if (seldom()) f.drift_max_ppm = between(100, 4'000);
  if (seldom()) f.lag_max_ms = between(5, 300);
  if (seldom())
    f.lease_cut_every_ms = between(8'000, 40'000), f.lease_cut_old_max_ms = between(100, 90'000);
  return f;
}

Faults Faults::healed() const {
  Faults calm;
  calm.delay_min_ms = delay_min_ms;
  calm.delay_max_ms = delay_max_ms;
  calm.store_delay_max_ms = store_delay_max_ms;
  calm.crash_at_point = crash_at_point;
  return calm;
}

std::vector<std::string_view> Faults::kinds() {
  std::vector<std::string_view> names;
  for (auto const& kind : all_kinds) names.push_back(kind.name);
  return names;
}

bool Faults::has(std::string_view kind) const {
  auto const* found = find(kind);
  return found != nullptr && found->is_on(*this);
}

Faults Faults::without(std::string_view kind) const {
  auto less = *this;
  if (auto const* found = find(kind)) found->remove(less);
  return less;
}

std::string Faults::text() const {
  auto all =
      fmt::format("delay {}..{} ms, store {} ms", delay_min_ms, delay_max_ms, store_delay_max_ms);
  for (auto const& kind : all_kinds)
    if (kind.is_on(*this)) all += ", " + kind.text(*this);
  if (crash_at_point > 0) all += fmt::format(", crash at point {}", crash_at_point);
  return all;
}

}  // namespace lepton::sim
