#include "services/deployer/core/recorder.hpp"

#include "common/base/planted.hpp"

namespace lepton::deployer {

void Recorder::released(AttemptId const& attempt) {
  if (!planted("decision_step_lost")) steps_.emplace_back().attempt = attempt;
}

}  // namespace lepton::deployer
