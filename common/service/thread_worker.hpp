#pragma once
// ThreadWorker: runs blocking work (an engine, a file, a library that waits) on a few threads.
// Owned by the service's thread; jobs own all they touch. The queue is bounded by what actors may
// have out (HostSettings::reads_max).

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "common/actor/ports.hpp"
#include "common/service/inbox.hpp"

namespace lepton::service {

class ThreadWorker final : public actor::Worker {
 public:
  ThreadWorker(std::size_t threads, Inbox& inbox);
  ~ThreadWorker() override;  // finishes the jobs at hand, drops the queued ones
  void run(std::function<void()> job, std::function<void()> done) override;

 private:
  void serve();
  struct Task {
    std::function<void()> job;
    std::function<void()> done;
  };
  Inbox& inbox_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lepton::service
