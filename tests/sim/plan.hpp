#pragma once
// Plan: what one run of the simulated suite does, and the line that repeats it. Each run has some
// kinds of faults and some of what people do beside submitting jobs: what is left out lets the rest
// go further (Groce et al., Swarm testing, ISSTA 2012). Pure.
//
// Who changes a drawn or calm plan does it by change(), for what is set directly is not in the
// line.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/sim/faults.hpp"
#include "tests/sim/knobs.hpp"

namespace lepton::sim {

struct Plan {
  std::uint64_t seed = 1;
  Faults faults;
  Knobs knobs = Knobs::usual();
  TimeMs trouble_ms = 60'000;   // virtual time with faults
  TimeMs peace_ms = 1'800'000;  // limit for everything to end, once the faults are over
  std::uint32_t nodes = 3;
  std::uint32_t jobs = 20;
  std::set<std::string_view> chores;
  std::vector<std::string> arguments;  // of lepton-sim, beside the seed, that repeat this plan

  static Plan draw(std::uint64_t seed);
  static Plan calm(std::uint64_t seed = 1);  // no faults, every chore, settings as usual
  static std::vector<std::string_view> chore_kinds();
  bool does(std::string_view chore) const { return chores.contains(chore); }
  bool has(std::string_view kind) const { return does(kind) || faults.has(kind); }
  // As an option of lepton-sim does; false when there is none of that name, or not of that value.
  bool change(std::string const& option, std::string const& value);
  std::string text() const;  // its faults and chores
  std::string command() const;

 private:
  bool apply(std::string_view option, std::string const& value);
  bool apply(std::string_view option, std::int64_t value);
  bool leave_out(std::string_view kind);
};

}  // namespace lepton::sim
