#pragma once
// Planted bugs: mistakes that a control plane like this one could contain, for proving that the
// tests would notice (scripts/planted). Only a build with -DLEPTON_PLANTED=ON has them; there the
// environment variable LEPTON_PLANT names the one that is active. In every other build planted() is
// false at compile time, and nothing of the mistakes is in the programs. Pure; any thread.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace lepton {

inline constexpr std::array planted_bugs = std::to_array<std::string_view>({
    "ack_before_commit",      // an answer leaves before its rows are durable
    "read_before_commit",     // an answer without rows does not wait for the commits before it
    "no_dedup",               // a request that is sent again takes effect again
    "in_doubt_is_committed",  // a commit without an answer counts as done
    "no_fence",               // the store does not compare the epoch of the lease
    "lease_unchecked",        // an instance that cannot confirm its lease goes on
    "stale_leader_writes",    // a takeover does not raise the epoch
    "double_placement",       // a restart places again what was placed and has not reported yet
    "gpu_of_another",         // a node gives a task another GPU than the one that it holds
    "lease_ignored",          // a node that is cut off does not end its work
    "lease_not_awaited",      // work of a silent node is placed again at once
    "capacity_released_twice",
    "lost_event_row",         // an event is numbered and sent, but not stored
    "sequence_by_bigserial",  // numbers that were not used stay used
    "timer_of_old_life",      // timers go on after the life that wanted them
    "audit_without_change",   // a refused change leaves an entry that says done
    "change_without_audit",   // a change leaves no entry
    "secret_in_audit",        // the value of a secret is noted in its entry
    "auditor_acks_unseen",    // the auditor acknowledges events that it has not taken in
    "exec_output_doubled",    // output of a command that comes again is taken again
    "exec_end_unaudited",     // the end of a command leaves no entry
    "exec_begins_unclaimed",  // a node begins a command before the deployer has said yes
    "decision_step_lost",     // what is given back is missing in the record of decisions
    "port_given_at_once",     // the port of a replica is given away while an entrance leads there
    "resized_before_agreed",  // what a task gives back is given away before its node has agreed
    "older_size_believed",    // a node's word on an earlier order for a size answers this one
    "rollout_floor_ignored",  // ready replicas go before others are ready in their place
    "cooldown_ignored",       // the scaler changes its mind at once
    "reboot_unnoticed",       // the monitor takes a node that has booted anew for the same
    "chunk_unverified",       // a node takes any bytes for a part of a working folder
    "slice_unheld",           // a new life does not hold what slices have on their machines
    "worker_of_old_round",    // workers go on when the round that they joined has ended
    "gang_in_part",           // a gang starts with as many tasks as there is room for
    "head_delayed",           // later work takes what is reserved for the first in line
    "victims_in_vain",        // preemption stops more than the job needs
    "limit_unasked",          // an owner gets more than its limit
    "patience_forgotten",     // who has waited for long waits on
    "services_awaited",       // who is first in line waits for what never ends
    "cap_unasked",            // work draws more power than a cap allows
    "handover_on",            // whoever takes the routing id of another gets its answers
    "doors_unenforced",       // doors take every key once their gatekeeper is gone
    "frames_unlimited",       // a frame may be as large as its sender says
    "user_of_first_frame",    // who sent a message is asked of the wrong frame
});

// Only names of the list compile.
struct PlantedBug {
  std::string_view name;
  consteval PlantedBug(char const* wanted) : name(wanted) {
    for (auto const known : planted_bugs)
      if (known == name) return;
    throw "no planted bug has this name";
  }
};

#ifdef LEPTON_PLANTED
inline bool planted(PlantedBug bug) {
  static std::string const active = [] {
    auto const* name = std::getenv("LEPTON_PLANT");
    return std::string(name == nullptr ? "" : name);
  }();
  return active == bug.name;
}
#else
constexpr bool planted(PlantedBug) {
  return false;
}
#endif

}  // namespace lepton
