#pragma once
// The lease of a service's schema: one instance writes at a time. Taking it raises the epoch in the
// lease row; that row is what fences the former holder (writer.hpp). An advisory lock on a
// connection of its own keeps a second instance from starting while the first lives, and lets a
// successor start at once when it has died. Blocking calls, for the start of a service and a thread
// that watches. Times in ms.

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/store/connection.hpp"

namespace lepton::store {

struct LeaseSettings {
  Secret<std::string> database_url;
  std::string schema;
  std::string holder;            // for people: host, pid
  TimeMs wait_limit_ms = 3'000;  // how long a dying predecessor may take
};

class Lease {
 public:
  std::int64_t epoch() const { return epoch_; }

  // ok: held. unavailable: PostgreSQL is away, nobody knows. conflict: another instance has taken
  // it.
  Status check();

 private:
  friend Result<std::unique_ptr<Lease>> acquire_lease(LeaseSettings settings);
  explicit Lease(LeaseSettings settings) : settings_(std::move(settings)) {}
  Status open();
  Status lock();
  Status take();
  Status compare_epoch();
  Error held_by_another();

  LeaseSettings settings_;
  std::unique_ptr<Connection> connection_;
  std::int64_t epoch_ = 0;
};

// Code::conflict names the holder when another instance lives. Held until the Lease is destroyed.
Result<std::unique_ptr<Lease>> acquire_lease(LeaseSettings settings);

}  // namespace lepton::store
