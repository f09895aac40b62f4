#include "services/node/probe/thread_prober.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t threads_count = 8;
constexpr std::size_t waiting_max = 256;

}  // namespace

ThreadProber::ThreadProber(CheckSettings settings) : settings_(std::move(settings)) {
  for (std::size_t i = 0; i < threads_count; ++i) threads_.emplace_back([this] { serve(); });
}

ThreadProber::~ThreadProber() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool ThreadProber::begin(ProbeTask task) {
  {
    std::lock_guard const lock(mutex_);
    if (waiting_.size() >= waiting_max) return false;
    waiting_.push_back(std::move(task));
  }
  ready_.notify_one();
  return true;
}

std::vector<ProbeDone> ThreadProber::done() {
  std::lock_guard const lock(mutex_);
  return std::exchange(done_, {});
}

void ThreadProber::serve() {
  for (;;) {
    ProbeTask task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    auto const status = check(task, settings_);
    std::lock_guard const lock(mutex_);
    done_.push_back(
        {task.attempt, task.role, status.has_value(), status ? "" : status.error().what});
  }
}

}  // namespace lepton::node
