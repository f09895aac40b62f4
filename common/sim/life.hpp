#pragma once
// Life: what a simulated process is between its start and its end: the actor system, the parts that
// die with it, and its hold on the disk. Everything that it scheduled dies with it. A crash that
// was decided in the middle of a call makes it doomed: from that instant nothing of it gets out any
// more, neither rows nor messages, although its call runs to the end. Owned by Machine; one thread.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/actor/system.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "common/store/memory_store.hpp"

namespace lepton::sim {

class Machine;
class World;

// A process as its maker built it: the system, and whatever else lives and dies with the process
// (fake engines).
struct Built {
  Built(std::unique_ptr<actor::System> s, std::vector<std::shared_ptr<void>> p = {})
      : parts(std::move(p)), system(std::move(s)) {}
  std::vector<std::shared_ptr<void>> parts;
  std::unique_ptr<actor::System> system;  // destroyed before its parts
};
using Maker = std::function<Built(Machine&)>;

class Life final : public actor::Wire,
                   public actor::Worker,
                   public std::enable_shared_from_this<Life> {
 public:
  Life(World& world, Machine& machine, Chance& seeds);

  void begin(Maker const& make);
  void end();
  void doom() { doomed_ = true; }
  void cut_off(bool is_cut_off) { is_cut_off_ = is_cut_off; }  // from the store
  // By the clock of the world; a shorter one does not end a longer one.
  void stall(TimeMs until) { stalled_until_ = std::max(stalled_until_, until); }
  void go_on();                // earlier than it would
  TimeMs stalled_for() const;  // 0: it runs
  void poke();                 // there may be work: steps the system soon
  // Runs the task in virtual time, unless this life has ended by then.
  void after(TimeMs delay_ms, std::function<void()> task);

  actor::Ports ports();
  actor::System* system() { return built_ ? built_->system.get() : nullptr; }
  Chance& chance() { return chance_; }
  bool is_doomed() const { return doomed_; }

  // Wire, Worker
  void request(std::string const& peer, Header const& header, std::string const& body) override;
  void answer(actor::Route const& route, Header const& header, std::string const& body) override;
  void publish(Hint const& hint) override;
  void run(std::function<void()> job, std::function<void()> done) override;

 private:
  store::MemorySettings store_settings();
  store::Fault store_fault();
  TimeMs store_delay();
  void send(std::function<void()> const& transmit);
  void do_due();
  void step_unless_stalled();
  void step();
  void wake_at(TimeMs when);

  World& world_;
  Machine& machine_;
  bool doomed_ = false;
  bool is_cut_off_ = false;
  bool poked_ = false;
  TimeMs stalled_until_ = 0;
  std::vector<std::function<void()>> due_;  // since it stands still
  std::optional<TimeMs> wake_at_;           // by the clock of the machine

  // In the order of destruction from the end: the system first.
  Chance chance_;
  crypto::SeededEntropy entropy_;
  std::optional<store::MemoryStore> store_;
  std::optional<Built> built_;
};

}  // namespace lepton::sim
