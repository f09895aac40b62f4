#include "common/sim/machine.hpp"

#include "common/sim/world.hpp"

namespace lepton::sim {
namespace {

constexpr WallMs wall_base_ms = 1'800'000'000'000;
constexpr std::int64_t million = 1'000'000;

}  // namespace

Machine::Machine(World& world, PartyIndex index, std::string name, Maker make,
                 ProcessOptions options, std::uint64_t seed)
    : world_(world),
      index_(index),
      name_(std::move(name)),
      make_(std::move(make)),
      options_(std::move(options)),
      seeds_(seed) {}

Machine::~Machine() = default;

TimeMs Machine::now_ms() const {
  return world_.now() * (million + drift_ppm_) / million;
}
TimeMs Machine::world_time(TimeMs own) const {
  auto const rate = million + drift_ppm_;
  return (own * million + rate - 1) / rate;
}
WallMs Machine::wall_ms() const {
  return wall_base_ms + now_ms() + wall_offset_ms_;
}
bool Machine::is_store_away() const {
  return world_.now() < store_back_at_;
}

void Machine::boot() {
  if (is_up()) return;
  ++lives_;
  life_ = std::make_shared<Life>(world_, *this, seeds_);
  life_->begin(make_);
}

void Machine::die() {
  if (auto const life = std::exchange(life_, nullptr)) life->end();
  end_old_life();
}

void Machine::heal() {
  take_store_away(0);
  set_lag_max_ms(0);
  end_old_life();
  if (!life_) return;
  life_->go_on();
  life_->cut_off(false);
}

void Machine::end_old_life() {
  loyal_.clear();
  if (auto const old = std::exchange(old_, nullptr)) old->end();
}

void Machine::take_over(TimeMs old_stalled_until, std::set<PartyIndex> loyal) {
  end_old_life();
  loyal_ = std::move(loyal);
  if (life_) life_->stall(old_stalled_until);
  old_ = std::exchange(life_, nullptr);
  boot();
}

void Machine::gave_up(Life& life, std::string const& why) {
  if (is_old(life)) return end_old_life();
  world_.gave_up(*this, why);
}

}  // namespace lepton::sim
