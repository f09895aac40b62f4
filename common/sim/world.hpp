#pragma once
// World: whole processes (actor systems with their stores), clients and a hostile network on one
// thread with a virtual clock, repeatable from a seed: the same seed gives the same run, message
// for message. Faults are drawn from the seed or set by hand; heal() ends them, so that a run can
// also check that everything comes to a good end.
//
//   World world(seed, Faults::draw(seed));
//   world.add_process("counter", [](Machine& m) { ... return Built(std::move(system)); });
//   auto& ann = world.add_client("ann");
//   ann.send("counter", Add{...});
//   world.after_each_event([](World& w) { if (wrong(w)) w.fail("why"); });
//   world.run_for(60'000);
//   world.heal();
//   bool good = world.run_until([&] { return ann.open() == 0; }, 60'000);
//
// Errors: fail() throws Failure with the sentence, the command that repeats the run, and its last
// lines.

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/sim/agenda.hpp"
#include "common/sim/client.hpp"
#include "common/sim/faults.hpp"
#include "common/sim/journal.hpp"
#include "common/sim/machine.hpp"
#include "common/sim/network.hpp"

namespace lepton::sim {

class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct WorldStats {
  std::int64_t delivered = 0, lost = 0, duplicated = 0, cut_off = 0, undeliverable = 0, events = 0,
               crashes = 0, cuts = 0, store_faults = 0, wall_jumps = 0, gave_up = 0, stalls = 0,
               takeovers = 0, lease_cuts = 0, points = 0;
};

class World {
 public:
  using Rule = std::function<Status(actor::Caller const&, Verb, std::string_view resource)>;
  using Answered = std::function<void(Machine const& from, std::string const& to, Header const&,
                                      std::string const& body)>;

  World(std::uint64_t seed, Faults faults);
  ~World();
  // Ends all processes for good; what they use may go then.
  void end();

  // The process boots at once. Requests to `name`, or to one of options.serves, reach it.
  Machine& add_process(std::string name, Maker make, ProcessOptions options = {});
  Client& add_client(std::string name, std::vector<std::string> policies = {});
  void set_gate(Rule rule);  // of all processes; without one everything is allowed

  void run_for(TimeMs ms);
  // True as soon as `done` holds after an event; false when it does not within the limit.
  bool run_until(std::function<bool()> const& done, TimeMs limit_ms);
  // Ends all faults, cuts and outages and boots what is down.
  void heal();

  // Scenario events, in virtual time from now.
  void at(TimeMs delay_ms, std::function<void()> task) {
    agenda_.at(now() + delay_ms, std::move(task));
  }
  void crash(std::string const& name);  // before any other event; back after a while
  void cut(std::string const& from, std::string const& to, TimeMs for_ms);  // one way
  void isolate(std::string const& name, TimeMs for_ms);                     // both ways, from all
  void take_store_away(std::string const& name, TimeMs for_ms);
  void jump_wall(std::string const& name, TimeMs by_ms);
  void stall(std::string const& name, TimeMs for_ms);
  void take_over(std::string const& name, TimeMs old_for_ms);
  void cut_lease(std::string const& name, TimeMs old_for_ms);

  void after_each_event(std::function<void(World&)> check) { checks_.push_back(std::move(check)); }
  // At the instant at which a process lets an answer go: what it tells must be durable by then.
  void at_each_answer(Answered check) { answered_.push_back(std::move(check)); }
  void set_repeat(std::string command) { repeat_ = std::move(command); }  // what fail() names
  [[noreturn]] void fail(std::string const& why) const;

  Machine& machine(std::string const& name);
  Machine const& machine(std::string const& name) const;
  actor::System* system(std::string const& name) {
    return machine(name).system();
  }  // null: it is down
  store::MemoryDisk const& disk(std::string const& name) const { return *machine(name).disk(); }
  bool serves(std::string const& process, std::string const& service) const;
  bool all_up() const;  // every process, and no crash of one has been decided

  TimeMs now() const { return agenda_.now(); }
  std::uint64_t seed() const { return seed_; }
  std::uint64_t trace() const { return journal_.hash(); }
  Faults const& faults() const { return faults_; }
  WorldStats const& stats() const { return stats_; }
  std::deque<Sent> const& history() const { return history_; }
  std::string last_lines() const { return journal_.text(); }

 private:
  friend class Life;
  friend class Machine;
  friend class Client;
  struct Party {
    actor::Caller caller;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Client> client;
  };
  struct Frame;
  struct Rules;

  PartyIndex add_party(actor::Caller caller);
  void send(PartyIndex from, std::string const& to, Header const& header, std::string const& body);
  void publish(PartyIndex from, Hint const& hint);
  void transmit(std::shared_ptr<Frame const> frame);
  void deliver(std::shared_ptr<Frame const> const& shared);
  void deliver_later(std::shared_ptr<Frame const> const& frame, TimeMs wait);
  bool deliver_to_old(Machine& machine, Frame const& frame, Header const& header);
  void deliver_to_machine(Machine& machine, Frame const& frame, Header header);
  void deliver_request(actor::System& system, Frame const& frame, Header header);
  actor::Gate& gate();
  void log(std::string const& process, actor::Level level, std::string const& text);
  void note_store_fault(std::string const& process, char const* what);
  void note_answer(Machine const& from, std::string const& to, Header const& header,
                   std::string const& body);
  void note_end(Sent const& sent);
  void gave_up(Machine& machine, std::string const& why);
  void kill(Machine& machine, std::string const& how);
  bool is_crash_point() {  // the next one of the run; asked before and after what can be cut off
    return static_cast<std::uint64_t>(++stats_.points) == faults_.crash_at_point;
  }
  // In the middle of a call of the process: nothing of it gets out from here on.
  void crash_now(Machine& machine, Life& life, std::string const& how);
  void step();

  // Faults by chance (world_faults.cpp)
  void start_faults();
  void repeat_fault(TimeMs every_ms, std::function<void()> fault);
  Machine* any_machine(std::function<bool(Machine const&)> const& fits);
  void set_manners(Machine& machine);
  void cut_something();
  TimeMs up_to(TimeMs most) {
    return 1 + static_cast<TimeMs>(
                   chance_.below(static_cast<std::uint64_t>(std::max<TimeMs>(1, most))));
  }

  std::uint64_t seed_;
  std::string faults_text_;  // as they were before the healing
  std::string repeat_;
  Faults faults_;
  bool is_healed_ = false;
  Chance chance_;
  Chance manners_;  // of the machines' clocks and speeds
  Agenda agenda_;
  Network network_;
  Journal journal_;
  std::unique_ptr<Rules> rules_;
  std::vector<Party> parties_;
  std::map<std::string, PartyIndex, std::less<>> by_name_;
  std::vector<std::function<void(World&)>> checks_;
  std::vector<Answered> answered_;
  std::deque<Sent> history_;
  WorldStats stats_;
};

}  // namespace lepton::sim
