#pragma once
// Replayer: makes kept decisions again, row by row. Pure but for what it keeps; any thread, one at
// a time. Errors: a row that cannot be read, or that contradicts those before it.

#include <cstdint>
#include <memory>
#include <vector>

#include "schemas/decision.hpp"
#include "services/deployer/core/replay.hpp"
#include "services/deployer/decisions/rows.hpp"

namespace lepton::deployer {

class Replayer {
 public:
  // The decision with this number is looked at closely; 0: none is.
  explicit Replayer(std::int64_t number = 0, std::uint32_t choices = 0)
      : number_(number), most_choices_(choices) {}

  // In the order of their numbers; the first begins a snapshot.
  Status feed(DecisionRow const& row);
  DecisionsReplayed const& result() const { return result_; }

 private:
  void decide(Decision const& decision, DecisionRow const& row);
  void look_closely(Decision const& decision, DecisionRow const& row);

  std::int64_t number_;
  std::uint32_t most_choices_;
  std::unique_ptr<Replay> replay_;
  DecisionsReplayed result_;
};

DecisionLine decision_line(DecisionRow const& row);

}  // namespace lepton::deployer
