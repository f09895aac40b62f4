#pragma once
// Executor: the port through which a node runs commands beside tasks (`lepton exec`). No call
// waits: each command has a thread of its own elsewhere, and what has happened is fetched.
// RunnerExecutor asks the attempts' runners; FakeExecutor does as a test says. The node's thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/exec_pieces.hpp"

namespace lepton::node {

struct ExecTask {
  std::string exec;
  std::string attempt;
  std::vector<std::string> command;
};

struct ExecNews {
  std::vector<ExecPiece> output;
  ExecEnd end;  // after that output
};

class Executor {
 public:
  virtual ~Executor() = default;
  // `exhausted`: too many run here. What goes wrong later is told by the end.
  virtual Status begin(ExecTask const& task) = 0;
  // How much input it takes now, bytes.
  virtual std::size_t room(std::string const& exec) = 0;
  virtual void give(std::string const& exec, std::string_view input, bool ended) = 0;
  // At most so many bytes; the command waits while nobody fetches what it prints.
  virtual ExecNews fetch(std::string const& exec, std::size_t bytes_max) = 0;
  // Its end comes with fetch(), with this reason.
  virtual void stop(std::string const& exec, std::string const& why) = 0;
  // Stops it first where it runs.
  virtual void forget(std::string const& exec) = 0;
};

class FakeExecutor final : public Executor {
 public:
  struct Run {
    ExecTask task;
    std::string input;
    bool input_ended = false;
    std::string stopped;
    ExecNews next;  // what the next fetch brings
    bool forgotten = false;
  };
  Status begin(ExecTask const& task) override {
    if (refuse) return *refuse;
    runs[task.exec].task = task;
    return ok();
  }
  std::size_t room(std::string const&) override { return room_bytes; }
  void give(std::string const& exec, std::string_view input, bool ended) override {
    runs[exec].input += input;
    runs[exec].input_ended = runs[exec].input_ended || ended;
  }
  ExecNews fetch(std::string const& exec, std::size_t bytes_max) override {
    auto const found = runs.find(exec);
    if (found == runs.end() || found->second.forgotten)
      return {{}, {true, -1, "this node does not know the command"}};
    auto& next = found->second.next;
    ExecNews news{take_bytes(next.output, static_cast<std::int64_t>(bytes_max)), {}};
    if (next.output.empty()) news.end = next.end;
    return news;
  }
  void stop(std::string const& exec, std::string const& why) override {
    runs[exec].stopped = why;
    runs[exec].next.end = {true, -1, why};
  }
  void forget(std::string const& exec) override { runs[exec].forgotten = true; }

  std::map<std::string, Run> runs;
  std::size_t room_bytes = 1'000;
  std::optional<Error> refuse;
};

}  // namespace lepton::node
