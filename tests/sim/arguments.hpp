#pragma once
// What lepton-sim was asked for on its command line. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/plan.hpp"

namespace lepton::sim {

struct Arguments {
  std::optional<std::uint64_t> seed, seeds;
  std::uint64_t from = 1, processes = 0;  // 0: as many as there are cores
  bool first = false, as_found = false, calm = false;
  std::vector<std::pair<std::string, std::string>> changes;

  // Nothing when they make no sense.
  static std::optional<Arguments> parse(std::vector<std::string> const& words);
  std::uint64_t count() const { return seed ? 1 : *seeds; }
  Plan plan(std::uint64_t number) const;  // of the first, second, ... seed, from 0

 private:
  bool flag(std::string const& option);
  bool set(std::string const& option, std::string const& value);
};

}  // namespace lepton::sim
