#pragma once
// Which process holds a lease, in words that no other process ever has: boot of the machine, PID
// namespace, PID and start time (proc(5)). Lets a successor on the same machine know at once that
// its predecessor has died, and end one that only stands still and keeps the ports. Any thread.

#include <string>

#include "common/base/time.hpp"

namespace lepton::store {

std::string mark_of_this_process();

enum class Fate : std::uint8_t {
  lives,     // here
  gone,      // it was here; also a zombie
  elsewhere  // another machine, container or boot: nothing can be said
};

Fate fate_of(std::string const& mark);

// SIGKILL, for a process that lives here and runs a program of our own name; through a descriptor,
// so that a PID that was used again is never hit. True when it is gone within the limit.
bool end_process(std::string const& mark, TimeMs limit_ms);

}  // namespace lepton::store
