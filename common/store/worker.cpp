#include "common/store/worker.hpp"

#include <algorithm>
#include <chrono>

namespace lepton::store {
namespace {

constexpr std::size_t max_waiting_jobs = 4'096;
constexpr TimeMs first_pause_ms = 20, longest_pause_ms = 2'000;

using Steady = std::chrono::steady_clock;

}  // namespace

Worker::Worker(Open open, std::uint64_t jitter_seed)
    : open_(std::move(open)), chance_(jitter_seed), pause_ms_(first_pause_ms) {
  thread_ = std::thread([this] { run(); });
}

Worker::~Worker() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::give(Job job) {
  std::optional<Error> why;
  {
    std::lock_guard const lock(mutex_);
    if (away_)
      why = *away_;
    else if (jobs_.size() >= max_waiting_jobs)
      why = Error{Code::exhausted, "too much work waits for the store; try again later"};
    else
      jobs_.push_back(std::move(job));
  }
  if (why) return job.refuse(*why);
  changed_.notify_all();
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (away_) {
      changed_.wait_for(lock, std::chrono::milliseconds(next_pause_ms()),
                        [&] { return stopping_; });
      if (stopping_) return;
      lock.unlock();
      retry_connection();
      lock.lock();
    } else if (jobs_.empty()) {
      changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    } else {
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      perform(std::move(job));
      lock.lock();
    }
  }
}

void Worker::perform(Job job) {
  if (auto good = ensure_open(); !good) {
    job.refuse(good.error());
    return go_away(good.error());
  }
  job.run(*this);
}

Status Worker::ensure_open() {
  if (connection_ && connection_->alive()) return ok();
  connection_.reset();
  auto opened = open_();
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  pause_ms_ = first_pause_ms;
  return ok();
}

void Worker::go_away(Error why) {
  std::deque<Job> refused;
  {
    std::lock_guard const lock(mutex_);
    away_ = why;
    refused.swap(jobs_);
  }
  for (auto& job : refused) job.refuse(why);
}

void Worker::retry_connection() {
  auto const good = ensure_open();
  std::lock_guard const lock(mutex_);
  away_ = good ? std::nullopt : std::optional(good.error());
}

TimeMs Worker::next_pause_ms() {
  auto const pause = pause_ms_;
  pause_ms_ = std::min(longest_pause_ms, 2 * pause_ms_);
  return pause / 2 + static_cast<TimeMs>(chance_.below(static_cast<std::uint64_t>(pause / 2 + 1)));
}

Status Worker::reopen(TimeMs limit_ms) {
  auto const end = Steady::now() + std::chrono::milliseconds(limit_ms);
  for (;;) {
    connection_.reset();
    auto good = ensure_open();
    if (good || Steady::now() >= end) return good;
    std::unique_lock lock(mutex_);
    auto const pause = std::chrono::milliseconds(std::min<TimeMs>(next_pause_ms(), 200));
    if (changed_.wait_for(lock, pause, [&] { return stopping_; })) return good;
  }
}

}  // namespace lepton::store
