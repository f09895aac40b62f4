#pragma once
// ThreadProber: eight threads that ask. begin() and done() from the node's thread.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "services/node/probe/check.hpp"
#include "services/node/probe/prober.hpp"

namespace lepton::node {

class ThreadProber final : public Prober {
 public:
  explicit ThreadProber(CheckSettings settings);
  // Ends within the longest timeout of what is being asked.
  ~ThreadProber() override;

  bool begin(ProbeTask task) override;
  std::vector<ProbeDone> done() override;

 private:
  void serve();

  CheckSettings settings_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<ProbeTask> waiting_;
  std::vector<ProbeDone> done_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lepton::node
