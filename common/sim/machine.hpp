#pragma once
// Machine: one simulated process. It holds an actor system between two crashes; the disk of its
// memory store outlives it. Everything that it scheduled dies with it. Owned by World; one thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/actor/system.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "common/sim/faults.hpp"
#include "common/sim/network.hpp"
#include "common/store/memory_store.hpp"

namespace lepton::sim {

class World;
class Machine;

// A process as its maker built it: the system, and whatever else lives and dies with the process
// (fake engines).
struct Built {
  Built(std::unique_ptr<actor::System> s, std::vector<std::shared_ptr<void>> p = {})
      : parts(std::move(p)), system(std::move(s)) {}
  std::vector<std::shared_ptr<void>> parts;
  std::unique_ptr<actor::System> system;  // destroyed before its parts
};
using Maker = std::function<Built(Machine&)>;

struct ProcessOptions {
  actor::Door door = actor::Door::peer;  // by which others see its requests
  std::vector<std::string> policies;     // of its token, at the client door
  std::vector<std::string> serves;       // further names that requests reach it by
  bool crashes = true;                   // by chance; World::crash always works
};

class Machine final : public actor::Wire, public actor::Worker, public Clock {
 public:
  Machine(World& world, PartyIndex index, std::string name, Maker make, ProcessOptions options,
          std::uint64_t seed);
  ~Machine() override;

  // For the maker and its parts; valid for one life.
  actor::Ports ports();
  // Runs the task in virtual time, unless this life has ended by then. For fake engines.
  void after(TimeMs delay_ms, std::function<void()> task);
  std::string const& name() const { return name_; }
  Chance& chance() { return *chance_; }

  bool is_up() const { return built_.has_value(); }
  actor::System* system() { return built_ ? built_->system.get() : nullptr; }
  actor::System const* system() const { return built_ ? built_->system.get() : nullptr; }
  std::shared_ptr<store::MemoryDisk> const& disk() const { return disk_; }
  ProcessOptions const& options() const { return options_; }
  std::uint64_t life() const { return life_; }

  // For the world.
  void boot();
  void die();
  void poke();  // there may be work: steps the system within this instant
  void take_store_away(TimeMs until) { store_back_at_ = until; }
  void jump_wall(TimeMs by) { wall_offset_ms_ += by; }

  // Wire, Worker, Clock
  void request(std::string const& peer, Header const& header, std::string const& body) override;
  void answer(actor::Route const& route, Header const& header, std::string const& body) override;
  void publish(Hint const& hint) override;
  void run(std::function<void()> job, std::function<void()> done) override;
  TimeMs now_ms() const override;
  WallMs wall_ms() const override;

 private:
  void step();
  void wake_at(TimeMs when);
  store::MemorySettings store_settings();
  store::Fault store_fault();
  TimeMs store_delay();

  World& world_;
  PartyIndex index_;
  std::string name_;
  Maker make_;
  ProcessOptions options_;
  Chance seeds_;
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();

  std::uint64_t life_ = 0;
  TimeMs store_back_at_ = 0;
  TimeMs wall_offset_ms_ = 0;
  bool poked_ = false;
  std::optional<TimeMs> wake_at_;

  // Of one life, in the order of destruction from the end: the system first.
  std::optional<Chance> chance_;
  std::optional<crypto::SeededEntropy> entropy_;
  std::optional<store::MemoryStore> store_;
  std::optional<Built> built_;
};

}  // namespace lepton::sim
