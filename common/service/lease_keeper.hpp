#pragma once
// LeaseKeeper: a thread beside the actors' that renews the lease of the service, so that neither a
// slow database nor a busy actor hides that it was lost. It owns the lease; the service's thread
// asks term() before each turn. The log hears, on that thread, when the answer has changed.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/actor/ports.hpp"
#include "common/store/lease_term.hpp"

namespace lepton::service {

class LeaseKeeper {
 public:
  LeaseKeeper(std::unique_ptr<store::Lease> lease, Clock const& clock, actor::Log log);
  ~LeaseKeeper();  // waits for the beat at hand (its limits are the lease's), gives the lease back
  LeaseKeeper(LeaseKeeper const&) = delete;
  LeaseKeeper& operator=(LeaseKeeper const&) = delete;

  store::LeaseTerm const& term() const { return term_; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t standbys() const { return standbys_; }
  // Waits for the outcome of one more beat.
  store::Hold ask_again(TimeMs limit_ms);

 private:
  void run();
  void beat();

  std::unique_ptr<store::Lease> lease_;
  Clock const& clock_;
  actor::Log log_;
  std::int64_t epoch_;
  store::LeaseTerm term_;
  std::atomic<std::int64_t> standbys_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t beats_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lepton::service
