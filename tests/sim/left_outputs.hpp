#pragma once
// Outputs in the simulated world: what ended tasks have left on the machines, below one temporary
// folder, read by the real reader. The content follows from the attempt, so that what somebody is
// shown can be compared. One thread.

#include <map>
#include <memory>
#include <set>
#include <string>

#include "services/node/access/output_reader.hpp"
#include "services/node/core/run_status.hpp"
#include "tests/sim/place.hpp"

namespace lepton::sim {

class LeftOutputs {
 public:
  // Of one machine, for all lives of its node.
  std::shared_ptr<node::OutputReader> reader_of(std::string const& node);
  // Once for each attempt that has ended there.
  void leave(std::string const& node, node::RunStatus const& status);

  // Path to content.
  static std::map<std::string, std::string> of(std::string const& attempt);
  // How that is not what the attempt left; empty: it is.
  static std::string difference(OutputPage const& page);

 private:
  std::string state_dir(std::string const& node);

  Place place_;
  std::set<std::string> left_;  // attempts
};

}  // namespace lepton::sim
