#pragma once
// Writer: how one batch becomes one durable transaction, and what to say when that fails. Used on
// the thread of a Worker only; everything here may block within the limits of the connection.
//
// Each transaction first executes the guard: it holds the lease row at our epoch against a newer
// instance, and moves this writer's marker from n-1 to n. Every new connection also moves the
// marker before anything else. Hence, after a COMMIT without an answer, the new connection's move
// waits for the old transaction, tells whether it took effect, and stops it for good if it did not
// arrive yet.

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "common/store/connection.hpp"
#include "common/store/plan.hpp"
#include "common/store/store.hpp"
#include "common/store/worker.hpp"

namespace lepton::store {

struct WriterSettings {
  Target target;
  std::string marker;                       // name of this writer's row: [a-z0-9_.-]{1,64}
  std::optional<std::int64_t> lease_epoch;  // absent: no fence
  TimeMs settle_limit_ms = 10'000;          // how long a COMMIT in doubt may be asked after
};

class Writer {
 public:
  explicit Writer(WriterSettings settings);

  // For the Worker: a connection that has moved the marker and knows the guard.
  Result<std::unique_ptr<Connection>> open();

  CommitResult commit(Worker& worker, Batch const& batch);

  // Set once another instance holds the lease; never cleared. Any thread.
  bool fenced() const { return fenced_; }

 private:
  struct Try {
    Failed failed;
    bool commit_sent = false;
    bool at_guard = false;
  };
  Status claim(Connection& connection);
  Status explain_guard(Connection& connection);
  Failed prepare(Connection& connection, Plan const& plan);
  Try transact(Connection& connection, Plan const& plan);
  Try copy_rows(Connection& connection, Plan const& plan);
  Try call_statements(Connection& connection, Plan const& plan);
  // Nothing: try again.
  std::optional<CommitResult> judge(Worker& worker, Try const& tried);
  std::optional<CommitResult> settle(Worker& worker, Try const& tried);

  WriterSettings settings_;
  std::int64_t marker_ = 0;  // value of our row after the last known transaction
  std::atomic<bool> fenced_ = false;
};

}  // namespace lepton::store
