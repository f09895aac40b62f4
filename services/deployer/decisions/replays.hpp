#pragma once
// Replays: answers what was decided, and decides it again when somebody asks. The state is built
// anew on another thread, from the snapshot before the decision, page by page; one at a time. A
// part of the deployer, on its thread; who may ask is the deployer's to say.

#include <memory>

#include "common/actor/actor.hpp"
#include "schemas/decision.hpp"
#include "services/deployer/decisions/decision_log.hpp"

namespace lepton::deployer {

class Replays {
 public:
  explicit Replays(DecisionLog const& log) : log_(log) {}

  // About this job by its identity, or about all where that is empty.
  void list(DecisionList const& m, JobId const& job, actor::Ticket<DecisionList> ticket,
            actor::Context& c);
  void replay(DecisionReplay const& m, JobId const& job, actor::Ticket<DecisionReplay> ticket,
              actor::Context& c);

 private:
  struct Run;
  void find(DecisionReplay const& m, store::Condition which, std::string const& whose,
            actor::Ticket<DecisionReplay> ticket, actor::Context& c);
  void begin(DecisionReplay const& m, std::int64_t number, actor::Ticket<DecisionReplay> ticket,
             actor::Context& c);
  void go_on(std::shared_ptr<Run> run, actor::Context& c);
  void end(Run& run, actor::Context& c);

  DecisionLog const& log_;
  bool busy_ = false;
};

}  // namespace lepton::deployer
