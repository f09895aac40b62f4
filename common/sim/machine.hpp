#pragma once
// Machine: one simulated process by name, over all its lives (life.hpp): the disk of its memory
// store outlives each of them, and so does its clock, which may run a little too fast or too slow.
// After a takeover an old life may go on beside the new one for a while; only those who were
// connected to it can reach it, and the lease must keep it from writing and from answering. Owned
// by World; one thread.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/sim/faults.hpp"
#include "common/sim/life.hpp"
#include "common/sim/network.hpp"

namespace lepton::sim {

struct ProcessOptions {
  actor::Door door = actor::Door::peer;  // by which others see its requests
  std::vector<std::string> policies;     // of its token, at the client door
  std::vector<std::string> serves;       // further names that requests reach it by
  bool crashes = true;                   // by chance; World::crash always works
  bool has_lease = true;                 // another instance may take over while it lives
};

class Machine final : public Clock {
 public:
  Machine(World& world, PartyIndex index, std::string name, Maker make, ProcessOptions options,
          std::uint64_t seed);
  ~Machine() override;

  // For the maker and its parts; valid for one life.
  actor::Ports ports() { return life_->ports(); }
  // Runs the task in virtual time, unless this life has ended by then. For fake engines.
  void after(TimeMs delay_ms, std::function<void()> task) {
    life_->after(delay_ms, std::move(task));
  }
  std::string const& name() const { return name_; }
  Chance& chance() { return life_->chance(); }

  bool is_up() const { return life_ != nullptr; }
  bool is_crashing() const { return life_ && life_->is_doomed(); }  // decided, not yet down
  actor::System* system() const { return life_ ? life_->system() : nullptr; }
  std::shared_ptr<store::MemoryDisk> const& disk() const { return disk_; }
  ProcessOptions const& options() const { return options_; }
  std::uint64_t life() const { return lives_; }
  PartyIndex index() const { return index_; }

  // For the world.
  void boot();
  void die();
  void poke() { life_->poke(); }
  // A new life begins; the old one does not know, and may stand still for a while first. Requests
  // of the loyal still go to it.
  void take_over(TimeMs old_stalled_until, std::set<PartyIndex> loyal = {});
  void end_old_life();  // if there is one
  void cut_off() {      // the present life loses its store
    if (life_) life_->cut_off(true);
  }
  void heal();
  Life* old_life_for(PartyIndex from) {
    return old_ && loyal_.contains(from) ? old_.get() : nullptr;
  }
  void gave_up(Life& life, std::string const& why);
  bool is_old(Life const& life) const { return old_.get() == &life; }
  void take_store_away(TimeMs until) { store_back_at_ = until; }
  void jump_wall(TimeMs by) { wall_offset_ms_ += by; }
  void stall(TimeMs until) {
    if (life_) life_->stall(until);
  }
  void set_drift_ppm(std::int64_t ppm) { drift_ppm_ = ppm; }
  void set_lag_max_ms(TimeMs most) { lag_max_ms_ = most; }

  bool is_store_away() const;
  TimeMs stalled_for() const { return life_ ? life_->stalled_for() : 0; }
  TimeMs lag_max_ms() const { return lag_max_ms_; }
  TimeMs world_time(TimeMs own) const;  // the first at which its clock shows `own`

  // Clock
  TimeMs now_ms() const override;
  WallMs wall_ms() const override;

 private:
  World& world_;
  PartyIndex index_;
  std::string name_;
  Maker make_;
  ProcessOptions options_;
  Chance seeds_;
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();

  std::uint64_t lives_ = 0;
  TimeMs store_back_at_ = 0;
  TimeMs wall_offset_ms_ = 0;
  TimeMs lag_max_ms_ = 0;
  std::int64_t drift_ppm_ = 0;
  std::shared_ptr<Life> life_;
  std::shared_ptr<Life> old_;
  std::set<PartyIndex> loyal_;
};

}  // namespace lepton::sim
