#pragma once
// DecisionLog: keeps what was decided and what happened in between, as rows, from which any kept
// decision can be made again (replayer.hpp). A snapshot begins each life and each few thousand
// decisions; what lies before the oldest snapshot that is needed is dropped. A part of the
// deployer, on its thread; rows leave with the change that they belong to.

#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "services/deployer/core/recorder.hpp"
#include "services/deployer/decisions/rows.hpp"

namespace lepton::deployer {

struct DecisionLimits {
  std::int64_t kept = 100'000;          // rows, at least, where there were so many
  std::int64_t snapshot_every = 5'000;  // rows; and no fewer than the last one had steps
  std::size_t steps_per_row = 200;
  std::size_t steps_waiting = 1'000;  // that no decision has taken along yet
  std::size_t input_max = 4'000;      // entries of an input; a longer one is not kept
};

// What people are told of a decision.
struct Reasons {
  std::vector<Term> terms;  // what the cost of its first node was made of
  std::optional<DecisionWait> waits;
};

class DecisionLog {
 public:
  // Both outlive the log.
  DecisionLog(Cluster& cluster, Placer const& placer, DecisionLimits limits);
  ~DecisionLog() { cluster_.watch(nullptr); }
  DecisionLog(DecisionLog const&) = delete;
  DecisionLog& operator=(DecisionLog const&) = delete;

  static std::vector<store::Table const*> tables();
  void restore(actor::Rows const& rows);
  // Once the cluster holds what was placed before; from here on everything is noted.
  void start(actor::Context& c);
  void tick(actor::Context& c);

  void arrived(ResourceRequest const& request, std::uint32_t tasks) {
    recorder_.arrived(request, tasks);
  }
  // Before anything of it takes effect. Returns its number. Not whole: what it was made from cannot
  // be kept, and it will be taken as given.
  std::int64_t decided(DecisionInput input, DecisionOutcome outcome, Reasons reasons,
                       actor::Context& c, bool whole = true);

  // For what is tried and then taken back before anything was decided: all since the mark.
  std::size_t mark() const { return recorder_.size(); }
  void forget_since(std::size_t mark) { recorder_.cut(mark); }

  std::vector<std::int64_t> const& snapshots() const { return snapshots_; }
  std::int64_t next() const { return next_; }

 private:
  void begin_snapshot(actor::Context& c);
  void write(std::vector<Step> steps, std::string_view kind, actor::Context& c);
  std::int64_t take_number(actor::Context& c);
  void save(actor::Context& c) const;
  void drop_old(actor::Context& c);

  Cluster& cluster_;
  Placer const& placer_;
  DecisionLimits limits_;
  Recorder recorder_;
  std::int64_t next_ = 1;
  std::int64_t claimed_ = 1;  // numbers below this are ours, by the stored row
  std::vector<std::int64_t> snapshots_;
  std::int64_t next_snapshot_ = 1;  // the number at which it is due
};

}  // namespace lepton::deployer
