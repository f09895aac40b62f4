#pragma once
// The lease of a service's schema: one instance acts at a time, others wait as standbys. The row
// `lease` has the epoch that fences every transaction of a former holder (writer.hpp). The row
// `lease_beat` is moved by the holder again and again, so that a standby can see, with no clock but
// its own, that it lives.
//
// A holder may act for lease_valid_ms from the moment at which it sent a beat that PostgreSQL
// confirmed (lease_term.hpp). A standby takes the lease when the beat has not moved for
// lease_lapse_ms, which is longer: by then the holder has stopped by itself. It need not wait when
// the holder gave the lease back, or was a process of this machine that is gone (process_mark.hpp).
// Source: Gray and Cheriton, "Leases" (SOSP 1989).
//
// Blocking calls with limits, for one thread at a time. Times in ms.

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/store/connection.hpp"

namespace lepton::store {

inline constexpr TimeMs lease_beat_ms = 500;     // between two beats of the holder
inline constexpr TimeMs lease_valid_ms = 3'000;  // the holder's own limit
inline constexpr TimeMs lease_lapse_ms = 4'000;  // a standby's; the rest is for clocks that differ
inline constexpr TimeMs lease_look_ms = 200;     // between two looks of a standby

struct LeaseSettings {
  Secret<std::string> database_url;
  std::string schema;
  std::string holder;   // for people: host, pid
  std::string process;  // mark_of_this_process()
};

class Lease {
 public:
  Lease(LeaseSettings settings, Clock const& clock)
      : settings_(std::move(settings)), clock_(clock) {}
  virtual ~Lease() { give_back(); }
  Lease(Lease const&) = delete;
  Lease& operator=(Lease const&) = delete;

  // One look, and the lease when it is free. conflict: another instance has it, and the sentence
  // names it. unavailable: PostgreSQL is away. invalid: tables are missing.
  Status try_take();
  // ok: held when this was called. unavailable: nobody knows. conflict: another instance has taken
  // it; never ours again.
  virtual Status renew();
  // The next one need not wait. Only when nothing acts for this instance any more.
  void give_back();

  // Instances that wait for this one, as the last renewal saw them.
  virtual std::int64_t standbys() const { return standbys_; }
  bool is_held() const { return epoch_ > 0; }
  std::int64_t epoch() const { return epoch_; }
  TimeMs taken_at() const { return taken_at_; }  // when the taking was sent
  // The mark of the holder before; empty when it gave the lease back.
  std::string const& predecessor() const { return predecessor_; }

 private:
  struct Seen {
    std::int64_t epoch = 0;
    std::int64_t beats = 0;
    std::string process;
    bool operator==(Seen const&) const = default;
  };
  Status open();
  Result<std::optional<Seen>> look();
  Status make_rows();
  bool may_take(Seen const& seen) const;
  Status take(Seen const& seen);
  Error held_by_another();
  Error away(Failure const& failure);

  LeaseSettings settings_;
  Clock const& clock_;
  std::unique_ptr<Connection> connection_;
  bool is_quick_ = false;  // this connection does not wait for the disk
  std::optional<Seen> seen_;
  TimeMs seen_at_ = 0;  // since then it has not changed
  std::string holder_;  // of the row, for people
  std::int64_t epoch_ = 0;
  TimeMs taken_at_ = 0;
  std::int64_t standbys_ = 0;
  std::string predecessor_;
};

// Tries until the limit; for programs that are no service, and tests.
Result<std::unique_ptr<Lease>> acquire_lease(LeaseSettings settings, TimeMs wait_limit_ms = 6'000);

}  // namespace lepton::store
