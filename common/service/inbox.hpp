#pragma once
// Inbox: how store and worker threads hand results to the service's thread. Any thread pushes; the
// service's thread drains. Bounded by what that thread itself has asked for.

#include <functional>
#include <mutex>
#include <vector>

namespace lepton::service {

class Inbox {
 public:
  explicit Inbox(std::function<void()> wake = {}) : wake_(std::move(wake)) {}
  void set_wake(std::function<void()> wake) {
    std::lock_guard const lock(mutex_);
    wake_ = std::move(wake);
  }

  void push(std::function<void()> task) {
    std::lock_guard const lock(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() == 1 && wake_) wake_();
  }
  bool drain() {
    std::vector<std::function<void()>> tasks;
    {
      std::lock_guard const lock(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
    return !tasks.empty();
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace lepton::service
