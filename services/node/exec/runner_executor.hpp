#pragma once
// RunnerExecutor: commands beside tasks through their runners (runner/exec_channel.hpp). A thread
// for each command, at most running_max; it passes bytes between the pipes and two bounded buffers.
// When this object or its process ends, the pipes hang up, and so do the commands.

#include <memory>
#include <mutex>
#include <thread>

#include "services/node/exec/executor.hpp"

namespace lepton::node {

class RunnerExecutor final : public Executor {
 public:
  explicit RunnerExecutor(std::string state_dir);
  ~RunnerExecutor() override;  // stops what runs

  Status begin(ExecTask const& task) override;
  std::size_t room(std::string const& exec) override;
  void give(std::string const& exec, std::string_view input, bool ended) override;
  ExecNews fetch(std::string const& exec, std::size_t bytes_max) override;
  void stop(std::string const& exec, std::string const& why) override;
  void forget(std::string const& exec) override;

  static constexpr std::size_t running_max = 16, buffer_max = 256 << 10;
  static constexpr std::size_t pieces_max = 512;  // of both streams; who alternates waits sooner

 private:
  class Run;
  Run* find(std::string const& exec);

  std::string state_dir_;
  std::map<std::string, std::unique_ptr<Run>> runs_;
  std::vector<std::unique_ptr<Run>> leaving_;  // forgotten before their end
};

}  // namespace lepton::node
