#pragma once
// The store of the simulation: deterministic, in memory, with the outcomes that a test asks for.
// The rows live in a MemoryDisk that outlives the actor, as a disk outlives a process; each life of
// an actor makes a new MemoryStore on it. One thread; every answer comes through `post`, never
// inside the call.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "common/store/post.hpp"
#include "common/store/store.hpp"

namespace lepton::store {

class MemoryDisk {
 public:
  using Rows = std::map<Cells, Cells>;  // key cells to whole row

  // Applies all changes or none; the reason when none.
  std::optional<std::string> apply(Batch const& batch);
  Rows const& rows(std::string_view table) const;
  std::map<std::string, Rows, std::less<>> const& tables() const { return tables_; }

  // A new instance takes the lease: stores with an older epoch are fenced from now on.
  std::int64_t take_lease();
  std::int64_t epoch() const { return epoch_; }
  // Batches that were applied for a holder of an older epoch: the fence has failed so often.
  std::int64_t stale_writes() const { return stale_writes_; }
  void note_stale_write() { ++stale_writes_; }

 private:
  std::map<std::string, Rows, std::less<>> tables_;
  std::int64_t epoch_ = 0;
  std::int64_t stale_writes_ = 0;
};

enum class FaultKind : std::uint8_t {
  none,              // commit as usual
  rejected,          // nothing applied, answer rejected
  unavailable,       // nothing applied, answer unavailable
  in_doubt_applied,  // applied, answer in doubt
  in_doubt_lost      // nothing applied, answer in doubt
};

struct Fault {
  FaultKind kind = FaultKind::none;
  TimeMs delay_ms = 0;  // the answer comes this much later; the effect is on disk at once
};

struct MemorySettings {
  Post post;
  // Needed by faults with a delay: runs the function on the runtime's thread after the time.
  std::function<void(TimeMs, std::function<void()>)> post_after = nullptr;
  std::function<Fault(Batch const&)> fault = nullptr;          // absent: no faults
  std::function<std::optional<Error>()> read_fault = nullptr;  // of load and find
  std::optional<std::int64_t> lease_epoch = std::nullopt;      // absent: no fence
};

class MemoryStore final : public Store {
 public:
  MemoryStore(std::shared_ptr<MemoryDisk> disk, MemorySettings settings);

  void commit(Batch batch, Committed done) override;
  void load(std::vector<Table const*> tables, Loaded done) override;
  void find(Query query, Found done) override;

 private:
  CommitResult decide(Batch const& batch, FaultKind kind);
  void answer(TimeMs delay_ms, std::function<void()> tell);

  std::shared_ptr<MemoryDisk> disk_;
  MemorySettings settings_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);  // answers of a dead store are dropped
};

}  // namespace lepton::store
