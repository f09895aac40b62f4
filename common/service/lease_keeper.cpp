#include "common/service/lease_keeper.hpp"

#include <chrono>

namespace lepton::service {

LeaseKeeper::LeaseKeeper(std::unique_ptr<store::Lease> lease, Clock const& clock, actor::Log log)
    : lease_(std::move(lease)),
      clock_(clock),
      log_(std::move(log)),
      epoch_(lease_->epoch()),
      term_(lease_->taken_at()) {
  thread_ = std::thread([this] { run(); });
}

LeaseKeeper::~LeaseKeeper() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LeaseKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    beat();
    lock.lock();
    ++beats_;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::milliseconds(store::lease_beat_ms),
                      [this] { return stopping_; });
  }
}

void LeaseKeeper::beat() {
  auto const sent_at = clock_.now_ms();
  auto const before = term_.at(sent_at);
  term_.note(sent_at, lease_->renew());
  standbys_ = lease_->standbys();
  auto const now = term_.at(clock_.now_ms());
  if (now == before) return;
  if (now == store::Hold::unconfirmed)
    log_(actor::Level::warning,
         "the lease cannot be confirmed, so nothing is done: " + term_.why());
  if (now == store::Hold::held)
    log_(actor::Level::info, "the lease is confirmed again, nobody has taken over: goes on");
}

// The one that is under way may have been sent too early; what is lost stays lost.
store::Hold LeaseKeeper::ask_again(TimeMs limit_ms) {
  std::unique_lock lock(mutex_);
  auto const enough = beats_ + 2;
  auto const is_lost = [&] { return term_.at(clock_.now_ms()) == store::Hold::lost; };
  changed_.wait_for(lock, std::chrono::milliseconds(limit_ms),
                    [&] { return beats_ >= enough || is_lost(); });
  return term_.at(clock_.now_ms());
}

}  // namespace lepton::service
