#pragma once
// What goes wrong in a simulated world, and how often. Times are virtual ms; probabilities are per
// message or per commit; an `every` is the mean time between two faults of the kind, 0 means never.
// draw() is swarm testing: each seed switches a random subset of the kinds on, so that rare
// combinations are not drowned by the frequent ones (Groce et al., "Swarm Testing", ISSTA 2012).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace lepton::sim {

struct Faults {
  TimeMs delay_min_ms = 1, delay_max_ms = 3;  // of each message
  double slow = 0;                            // takes up to slow_max_ms: later ones overtake it
  TimeMs slow_max_ms = 0;
  double loss = 0, duplicate = 0;           // of a message
  TimeMs cut_every_ms = 0, cut_max_ms = 0;  // partitions, one-way or two-way
  TimeMs crash_every_ms = 0;                // of any process
  double crash_at_commit = 0;               // the rows are on disk, the answer never arrives
  double crash_before_commit = 0;           // the rows never get there
  double crash_at_send = 0;                 // of a process: right before a message, or right after
  // One crash at exactly this point of the run: each commit and each message of a process has one
  // before it and one after it, also those after the healing. 0: never.
  std::uint64_t crash_at_point = 0;
  TimeMs restart_max_ms = 500;    // until a crashed process is back
  TimeMs store_delay_max_ms = 2;  // of each answer of a store, from 1
  TimeMs store_away_every_ms = 0, store_away_max_ms = 0;
  double in_doubt = 0, rejected = 0;                    // of a commit
  TimeMs wall_jump_every_ms = 0, wall_jump_max_ms = 0;  // of one process's wall clock
  TimeMs stall_every_ms = 0, stall_max_ms = 0;          // one process stands still, as by SIGSTOP
  // Another instance takes over while the present one lives; that one goes on for a while.
  TimeMs takeover_every_ms = 0, takeover_old_max_ms = 0;
  // A service is cut off from its store alone; another takes over when its lease has lapsed, and
  // some parties still reach the old one, which lives on for a while.
  TimeMs lease_cut_every_ms = 0, lease_cut_old_max_ms = 0;
  TimeMs drift_max_ppm = 0;  // each process's clock is at most so many ppm too fast or too slow
  TimeMs lag_max_ms = 0;     // some processes are slow: each step waits up to this

  static Faults none() { return {}; }
  static Faults draw(std::uint64_t seed);
  // The same delays without anything that goes wrong by chance.
  Faults healed() const;
  // Names of the kinds; a name takes one of them out, to find what a failure needs.
  static std::vector<std::string_view> kinds();
  bool has(std::string_view kind) const;
  Faults without(std::string_view kind) const;
  std::string text() const;
};

}  // namespace lepton::sim
