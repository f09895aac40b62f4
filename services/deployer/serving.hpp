#pragma once
// What the deployer keeps in memory of its services. The rows are rebuilt at the start of a life;
// the rest is seen anew. The deployer's thread.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/time.hpp"
#include "services/deployer/core/rollout.hpp"
#include "services/deployer/core/usage.hpp"
#include "services/deployer/service_rows.hpp"

namespace lepton::deployer {

struct ServiceState {
  ServiceRow row;
  std::map<std::uint32_t, RevisionRow> revisions;  // the newest, and those in use
  std::map<std::uint64_t, ReplicaRow> replicas;    // by number
  // At its entrance, as last seen.
  std::optional<double> requests_per_s, in_flight;
  std::optional<std::uint64_t> requests;  // of which requests_per_s is the difference
  bool holds = true;                      // what no replica can take waits there
  TimeMs seen_at = 0;
  bool asking = false;  // the scaler, about a report or the scaling; one at a time
  TimeMs ask_at = 0;    // not before
  TimeMs put_at = 0;    // how it is to be scaled, not before: refused, and may pass later
  std::string trouble;  // of the scaling, for people

  RevisionRow const& revision() const { return revisions.at(row.revision); }
  ServiceSpec const& spec() const { return revision().spec; }
  bool is_scaled_by_use() const { return spec().scale && is_of_use(spec().scale->signal); }
  // It has to be said first; where that is refused for now, it is scaled as before.
  bool waits_for_scaling() const { return row.scaling_due && put_at == 0; }
  // Nothing runs, and nothing should before a request comes.
  bool is_idle() const { return row.wanted == 0 && !row.removing && replicas.empty(); }
  RolloutTarget target(WallMs now) const;
};

struct Serving {
  std::map<std::string, ServiceState> services;
  std::map<JobId, std::pair<std::string, std::uint64_t>> replicas;  // whose, and which
  std::set<std::string> touched;                                    // to be looked at next
  std::set<JobId> drained;  // draining, and nothing is open there any more
  bool balancing = false;   // a call of the balancer is out
  bool balance_again = false;
  TimeMs balanced_at = 0;
  std::string balancer_trouble;  // for people; empty: it answers
};

// A wall clock that was set back since the last life must not make times lie ahead.
void after_restart(ServiceState& service, WallMs now);

// The newest revision with that template.
RevisionRow const* revision_with(ServiceState const& service, std::uint32_t template_number);
// What to erase: old, and not in use.
std::vector<std::uint32_t> outlived_revisions(ServiceState const& service);
// The revision whose template a revert takes; 0: there is none.
std::uint32_t revert_target(ServiceState const& service, std::uint32_t wanted);

}  // namespace lepton::deployer
