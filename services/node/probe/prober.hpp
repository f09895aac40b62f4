#pragma once
// Prober: the port through which a node asks its replicas. Neither call waits: questions are asked
// on other threads, at most eight at a time and each with its timeout; what was answered is
// fetched. ThreadProber asks for real; FakeProber answers as a test says. The node's thread.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/probe.hpp"
#include "services/node/core/probing.hpp"

namespace lepton::node {

struct ProbeTask {
  std::string attempt;
  ProbeRole role = ProbeRole::startup;
  Probe probe;
  std::uint32_t port = 0;
};

struct ProbeDone {
  std::string attempt;
  ProbeRole role = ProbeRole::startup;
  bool good = false;
  std::string why;
};

class Prober {
 public:
  virtual ~Prober() = default;
  // False: too many wait already; ask again later.
  virtual bool begin(ProbeTask task) = 0;
  virtual std::vector<ProbeDone> done() = 0;
};

class FakeProber final : public Prober {
 public:
  using Says = std::function<bool(ProbeTask const&)>;
  explicit FakeProber(Says says) : says_(std::move(says)) {}
  bool begin(ProbeTask task) override {
    auto const good = says_(task);
    done_.push_back({task.attempt, task.role, good, good ? "" : "the test says so"});
    return true;
  }
  std::vector<ProbeDone> done() override { return std::exchange(done_, {}); }

 private:
  Says says_;
  std::vector<ProbeDone> done_;
};

}  // namespace lepton::node
