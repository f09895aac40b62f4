#include "common/service/thread_worker.hpp"

namespace lepton::service {

ThreadWorker::ThreadWorker(std::size_t threads, Inbox& inbox) : inbox_(inbox) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

ThreadWorker::~ThreadWorker() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ThreadWorker::run(std::function<void()> job, std::function<void()> done) {
  {
    std::lock_guard const lock(mutex_);
    queue_.push_back({std::move(job), std::move(done)});
  }
  ready_.notify_one();
}

void ThreadWorker::serve() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task.job();
    inbox_.push(std::move(task.done));
  }
}

}  // namespace lepton::service
