// What goes wrong by chance or by hand, and the end of it.

#include <fmt/format.h>

#include "common/sim/world.hpp"
#include "common/store/lease_term.hpp"

namespace lepton::sim {

void World::start_faults() {
  repeat_fault(faults_.crash_every_ms, [this] {
    if (auto* machine = any_machine([](auto const& m) { return m.options().crashes; }))
      kill(*machine, "crash");
  });
  repeat_fault(faults_.cut_every_ms, [this] { cut_something(); });
  repeat_fault(faults_.store_away_every_ms, [this] {
    if (auto* machine = any_machine([](auto const&) { return true; }))
      take_store_away(machine->name(), up_to(faults_.store_away_max_ms));
  });
  repeat_fault(faults_.wall_jump_every_ms, [this] {
    auto const by = up_to(faults_.wall_jump_max_ms);
    if (auto* machine = any_machine([](auto const&) { return true; }))
      jump_wall(machine->name(), chance_.happens(0.5) ? by : -by);
  });
  repeat_fault(faults_.stall_every_ms, [this] {
    if (auto* machine = any_machine([](auto const&) { return true; }))
      stall(machine->name(), up_to(faults_.stall_max_ms));
  });
  repeat_fault(faults_.lease_cut_every_ms, [this] {
    if (auto* machine =
            any_machine([](auto const& m) { return m.is_up() && m.options().has_lease; }))
      cut_lease(machine->name(), up_to(faults_.lease_cut_old_max_ms));
  });
  repeat_fault(faults_.takeover_every_ms, [this] {
    if (auto* machine =
            any_machine([](auto const& m) { return m.is_up() && m.options().has_lease; }))
      take_over(machine->name(), up_to(faults_.takeover_old_max_ms));
  });
}

// A holder that is cut off stops by itself before its lease has lapsed for the others: standing
// still is how a machine does here what the reception of a service does when its term is over.
void World::cut_lease(std::string const& name, TimeMs old_for_ms) {
  auto& target = machine(name);
  if (!target.is_up()) return;
  ++stats_.lease_cuts;
  std::set<PartyIndex> loyal;
  for (PartyIndex i = 0; i < parties_.size(); ++i)
    if (chance_.happens(0.5)) loyal.insert(i);
  journal_.note(now(), fmt::format("{} is cut off from its store; another takes over in {} ms, "
                                   "the old one lives for {} ms more",
                                   name, store::lease_lapse_ms, old_for_ms));
  target.cut_off();
  auto const is_same = [this, &target, life = target.life()] {
    return !is_healed_ && target.is_up() && target.life() == life;
  };
  at(store::lease_valid_ms, [this, &target, is_same, old_for_ms, began = now()] {
    store::LeaseTerm const term(began);  // its last beat that was confirmed
    if (!is_same() || term.at(now()) == store::Hold::held) return;
    target.stall(now() + store::lease_lapse_ms + old_for_ms);
  });
  at(store::lease_lapse_ms, [this, &target, is_same, old_for_ms, loyal, life = target.life()] {
    if (!is_same()) return;
    target.take_over(0, loyal);
    at(old_for_ms, [&target, life] {
      if (target.life() == life + 1) target.end_old_life();
    });
  });
}

void World::set_manners(Machine& machine) {
  if (faults_.drift_max_ppm > 0) {
    auto const most = static_cast<std::uint64_t>(faults_.drift_max_ppm);
    machine.set_drift_ppm(static_cast<std::int64_t>(manners_.below(2 * most + 1)) -
                          faults_.drift_max_ppm);
  }
  if (faults_.lag_max_ms > 0 && manners_.happens(0.3)) machine.set_lag_max_ms(faults_.lag_max_ms);
}

void World::repeat_fault(TimeMs every_ms, std::function<void()> fault) {
  if (every_ms <= 0) return;
  at(up_to(2 * every_ms), [this, every_ms, fault = std::move(fault)] {
    if (is_healed_) return;
    fault();
    repeat_fault(every_ms, fault);
  });
}

Machine* World::any_machine(std::function<bool(Machine const&)> const& fits) {
  std::vector<Machine*> candidates;
  for (auto& party : parties_)
    if (party.machine && fits(*party.machine)) candidates.push_back(party.machine.get());
  return candidates.empty() ? nullptr : candidates[chance_.below(candidates.size())];
}

void World::cut_something() {
  if (parties_.size() < 2) return;
  auto const from = static_cast<PartyIndex>(chance_.below(parties_.size()));
  auto const to = static_cast<PartyIndex>(chance_.below(parties_.size()));
  auto const for_ms = up_to(faults_.cut_max_ms);
  auto const& a = parties_[from].caller.name;
  auto const& b = parties_[to].caller.name;
  if (from == to || chance_.happens(0.2)) return isolate(a, for_ms);
  cut(a, b, for_ms);
  if (chance_.happens(0.5)) cut(b, a, for_ms);
}

void World::cut(std::string const& from, std::string const& to, TimeMs for_ms) {
  auto const a = by_name_.find(from), b = by_name_.find(to);
  LEPTON_CHECK(a != by_name_.end() && b != by_name_.end(), "no party of this name");
  ++stats_.cuts;
  network_.cut(a->second, b->second, now() + for_ms);
  journal_.note(now(), fmt::format("link {} -> {} cut for {} ms", from, to, for_ms));
}

void World::isolate(std::string const& name, TimeMs for_ms) {
  for (auto const& party : parties_) {
    if (party.caller.name == name) continue;
    cut(name, party.caller.name, for_ms);
    cut(party.caller.name, name, for_ms);
  }
}

void World::take_store_away(std::string const& name, TimeMs for_ms) {
  machine(name).take_store_away(now() + for_ms);
  note_store_fault(name, fmt::format("away for {} ms", for_ms).c_str());
}

void World::jump_wall(std::string const& name, TimeMs by_ms) {
  ++stats_.wall_jumps;
  machine(name).jump_wall(by_ms);
  journal_.note(now(), fmt::format("wall clock of {} jumps by {} ms", name, by_ms));
}

void World::stall(std::string const& name, TimeMs for_ms) {
  ++stats_.stalls;
  machine(name).stall(now() + for_ms);
  journal_.note(now(), fmt::format("{} stands still for {} ms", name, for_ms));
}

void World::take_over(std::string const& name, TimeMs old_for_ms) {
  ++stats_.takeovers;
  auto& target = machine(name);
  journal_.note(now(), fmt::format("another instance of {} takes over; the old one lives for {} ms",
                                   name, old_for_ms));
  target.take_over(chance_.happens(0.5) ? now() + up_to(old_for_ms) : 0);
  at(old_for_ms, [&target, life = target.life()] {
    if (target.life() == life) target.end_old_life();
  });
}

void World::crash_now(Machine& target, Life& life, std::string const& how) {
  life.doom();
  auto const weak = life.weak_from_this();
  at(0, [this, &target, weak, how] {
    auto const doomed = weak.lock();
    if (!doomed || doomed->system() == nullptr) return;
    if (target.is_old(*doomed)) return target.end_old_life();
    kill(target, how);
  });
}

// Never inside a call of the process itself, hence as an event; it comes before the answer of a
// commit.
void World::crash(std::string const& name) {
  auto& target = machine(name);
  at(0, [this, &target, life = target.life()] {
    if (target.life() == life) kill(target, "crash");
  });
}

void World::gave_up(Machine& machine, std::string const& why) {
  ++stats_.gave_up;
  kill(machine, "gave up (" + why + ")");
}

void World::kill(Machine& machine, std::string const& how) {
  if (!machine.is_up()) return;
  ++stats_.crashes;
  auto const back_in = up_to(faults_.restart_max_ms);
  journal_.note(now(), fmt::format("{}: {}, back in {} ms", machine.name(), how, back_in));
  machine.die();
  at(back_in, [this, &machine] {
    if (!machine.is_up()) journal_.note(now(), machine.name() + ": boot");
    machine.boot();
  });
}

void World::heal() {
  is_healed_ = true;
  faults_ = faults_.healed();
  network_.heal(faults_);
  journal_.note(now(), "healed");
  for (auto& party : parties_) {
    if (!party.machine) continue;
    party.machine->heal();
    party.machine->boot();
  }
}

}  // namespace lepton::sim
