#pragma once
// What the deployer keeps in memory of a job and of a node. Rebuilt from rows at the start of a
// life.

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/actor/call.hpp"
#include "common/base/secret.hpp"
#include "schemas/node.hpp"
#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/decision.hpp"
#include "services/deployer/core/hold.hpp"
#include "services/deployer/core/relations.hpp"
#include "services/deployer/rows.hpp"

namespace lepton::deployer {

struct Job {
  JobRow row;
  JobRun run;
  std::vector<Allocation> allocations;  // of the present round
  WallMs started_at_ms = 0;
  WallMs finished_at_ms = 0;
  std::string why;
  std::optional<ResourceRequest> resized;  // what each task asks for since it was changed
  std::optional<Resizing> resizing;
  std::set<std::uint32_t> agreed;  // tasks whose nodes have said that the size meant holds
  WallMs queued_at_ms = 0;         // its age in the queue; not stored
  TimeMs placed_at = 0;            // on the monotonic clock of this life, whose start counts too
  bool stood_aside = false;        // waited for others before it came to the queue; not stored
  std::set<std::string> waited;    // whose ends were as wanted, also where they are forgotten since
  std::int64_t decision = 0;       // number of the newest about it in this life
  std::string waits_for;           // the rules that keep it back, as last noted in this life
  TimeMs waits_told_at = 0;        // when that was

  JobId const& id() const { return row.job; }
  JobSpec const& spec() const { return row.spec; }  // as it was submitted
  ResourceRequest const& resources() const { return resized ? *resized : row.spec.resources; }
  void set_size(TaskSize const& size) { resized = sized(row.spec.resources, size); }
  WallMs waits_since_ms() const {
    return run.waits_since_ms > 0 ? run.waits_since_ms : queued_at_ms;
  }
  // For others to end; who has their ends is in the queue, or waits for its turn in its array.
  bool waits() const {
    return run.state == JobState::queued &&
           !std::ranges::all_of(row.waits_for,
                                [&](Dependency const& d) { return waited.contains(d.job); });
  }
  std::string path() const { return "job/" + row.owner + "/" + row.name; }
  JobRunRow run_row() const {
    auto const size = resized ? std::optional(size_of(*resized)) : std::nullopt;
    return {row.job,        run.state, run,  allocations, started_at_ms,
            finished_at_ms, why,       size, resizing};
  }
};

// Jobs of one spec that were submitted together; worked out from their rows.
struct JobArray {
  std::string owner;
  std::string name;
  std::uint32_t size = 0;
  std::uint32_t parallel = 0;  // most that are queued or live at one time; 0: any number
  std::set<JobId> active;      // these
  std::deque<JobId> waiting;   // for their turn
  StateCounts gone;            // ended, and not in memory any more
  std::string path() const { return "job/" + owner + "/" + name; }
};

// From the start of work that has a limit to the word that it has ended.
inline constexpr std::int64_t ending_slack_ms = 2'000;
inline std::int64_t longest_ms(JobSpec const& spec) {
  return spec.max_duration_ms + spec.stop_grace_ms + ending_slack_ms;
}

inline constexpr std::size_t nodes_max = 20'000;
inline constexpr std::string_view simulated_engine = "simulated";
inline constexpr std::string_view process_engine = "process";

// A node as its syncs show it. The capacity and who holds what are the Cluster's.
struct NodeLink {
  NodeRow row;
  std::string incarnation;
  std::uint64_t number = 0;  // of its last sync
  TimeMs heard_at = 0;       // monotonic; 0: not in this life of the deployer
  TimeMs heard_since = 0;    // without a gap
  WallMs heard_at_ms = 0;
  bool silent = false;  // its attempts were told so
  bool leaving = false;
  bool shrunk = false;     // it offers less than is held there: no new work until that has ended
  bool first_sync = true;  // in this life of the deployer
  std::optional<actor::Ticket<NodeSync>> parked;  // a sync that waits for news
  std::uint64_t parked_number = 0;                // of that sync
  TimeMs parked_until = 0;
  std::vector<AttemptId> acknowledged;  // for the next answer
  std::vector<StopOrder> strays;        // by its last sync: what it should not run or has lost
  std::set<AttemptId> stops_told;       // by the last answer; no news when told again
  std::set<AttemptId> unprobed;         // run there by its last sync, and it has no probes for them
  std::set<AttemptId> probes_told;      // by the last answer; no news when told again
  std::vector<ResizeOrder> sizes_told;  // likewise
  std::deque<std::string> outlived;     // incarnations before this one; late syncs of theirs
  std::vector<LogOrder> log_orders;     // for the next answer

  bool is_simulated() const { return row.engine == simulated_engine; }
};

// The places of a job that waits for others to end.
struct Holding {
  Hold hold;
  TimeMs until = 0;         // of those with victims
  bool elder = false;       // it has waited for long
  WallMs starts_by_ms = 0;  // of an elder; 0: nobody knows
  std::uint64_t freed = 0;  // Cluster::freed when it was last looked for places elsewhere
  TimeMs looked_at = 0;
  TimeMs doubted_since = 0;  // a node of its places is not ready; 0: all are
};

// Of each pool the first job that found no room; and when it starts at the latest.
struct Reserved {
  JobId job;
  std::optional<Reservation> plan;  // nothing: the limits of what runs do not say
  std::uint64_t freed = 0;
  WallMs planned_at = 0;
  bool held_back = false;  // somebody for it
};

// The reservation that places were chosen beside; nobody's: it was not in the way.
struct Beside {
  Reservation reserved;
  NotedEnds ends;
};

// A part of a log that somebody waits for.
struct LogWish {
  NodeId node;
  actor::Ticket<JobLogs> ticket;
};

// Which of a gang's tasks one is, of how many, and who they are.
struct Seat {
  std::uint32_t index = 0, size = 1;
  std::vector<GangMember> gang;
};

// Values for one attempt, from the vault to its start; never stored.
using AttemptSecrets = std::map<std::string, Secret<>>;

}  // namespace lepton::deployer
