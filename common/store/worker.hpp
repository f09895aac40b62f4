#pragma once
// Worker: a thread with a queue and one connection, the place where the blocking part of a store
// runs. While PostgreSQL is away, jobs are refused at once and the thread reconnects with growing
// pauses. give() may be called from any thread; `run` and most of `refuse` happen on the worker's
// thread. The destructor ends the job at hand (bounded by the connection's limits) and drops the
// others.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/random.hpp"
#include "common/store/connection.hpp"

namespace lepton::store {

class Worker {
 public:
  using Open = std::function<Result<std::unique_ptr<Connection>>()>;

  struct Job {
    std::function<void(Worker&)> run;   // with a connection that was alive a moment ago
    std::function<void(Error)> refuse;  // instead of run
  };

  Worker(Open open, std::uint64_t jitter_seed);
  ~Worker();
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;

  void give(Job job);

  // For jobs, on the worker's thread only.
  Connection* connection() { return connection_.get(); }
  void drop() { connection_.reset(); }
  // A new connection, tried again until the limit or the end of the worker.
  Status reopen(TimeMs limit_ms);

 private:
  void run();
  Status ensure_open();
  void perform(Job job);
  void go_away(Error why);
  void retry_connection();
  TimeMs next_pause_ms();

  Open open_;
  std::unique_ptr<Connection> connection_;
  Chance chance_;
  TimeMs pause_ms_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::optional<Error> away_;  // why jobs are refused at once
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lepton::store
