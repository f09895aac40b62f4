#include "tests/sim/commands.hpp"

namespace lepton::sim {
namespace {

constexpr std::int64_t piece_bytes = 64;
constexpr std::size_t room_bytes = 150;

}  // namespace

std::string command_text(std::int64_t offset, std::int64_t bytes) {
  std::string text;
  for (auto i = offset; i < offset + bytes; ++i)
    text += static_cast<char>((static_cast<std::uint32_t>(i) * 2'654'435'761u) >> 13);
  return text;
}

class Commands::Played final : public node::Executor {
 public:
  Played(Commands& all, std::shared_ptr<node::FakeRunner> runner)
      : all_(all), runner_(std::move(runner)) {}
  ~Played() override {
    for (auto const& [exec, run] : runs_) all_.running_.erase(exec);
  }

  Status begin(node::ExecTask const& task) override {
    if (!all_.begun_.insert(task.exec).second)
      all_.world_.fail("command " + task.exec + " begins twice");
    if (all_.never_.contains(task.exec)) all_.told_as_never_begun(task.exec);
    all_.running_.insert(task.exec);
    runs_[task.exec] = {{task.command}, task.attempt, 0, 0, false, ""};
    return ok();
  }
  std::size_t room(std::string const&) override { return room_bytes; }
  void give(std::string const& exec, std::string_view input, bool ended) override {
    auto& run = runs_.at(exec);
    auto const bytes = static_cast<std::int64_t>(input.size());
    if (run.input_ended || input != command_text(run.read, bytes))
      all_.world_.fail("command " + exec + " is given something else than what was sent to it");
    run.read += bytes;
    run.input_ended = ended;
  }
  node::ExecNews fetch(std::string const& exec, std::size_t bytes_max) override {
    auto const found = runs_.find(exec);
    if (found == runs_.end()) return {{}, {true, -1, "this node does not know the command"}};
    auto& run = found->second;
    node::ExecNews news;
    auto const printed = run.kind.reads() ? run.read : run.kind.prints();
    auto const bytes =
        std::min({static_cast<std::int64_t>(bytes_max), piece_bytes, printed - run.printed});
    if (bytes > 0) {
      news.output.push_back(
          {run.printed / piece_bytes % 2 == 1, Bytes{command_text(run.printed, bytes)}});
      run.printed += bytes;
    }
    news.end = end_of(run, printed);
    if (news.end.ended) all_.running_.erase(exec);
    return news;
  }
  void stop(std::string const& exec, std::string const& why) override {
    auto const found = runs_.find(exec);
    if (found != runs_.end()) found->second.stopped = why;
  }
  void forget(std::string const& exec) override {
    runs_.erase(exec);
    all_.running_.erase(exec);
  }

 private:
  struct Run {
    CommandKind kind;
    std::string attempt;
    std::int64_t read = 0, printed = 0;
    bool input_ended = false;
    std::string stopped;
  };

  ExecEnd end_of(Run const& run, std::int64_t printed) {
    auto const task = runner_->poll(run.attempt);
    if (!task || task->state != node::RunState::running) return {true, -1, "its task has ended"};
    if (!run.stopped.empty()) return {true, -1, run.stopped};
    auto const is_done = run.kind.reads() ? run.input_ended : run.kind.prints() > 0;
    if (!is_done || run.printed < printed) return {};
    return {true, run.kind.exit_code(), ""};
  }

  Commands& all_;
  std::shared_ptr<node::FakeRunner> runner_;
  std::map<std::string, Run> runs_;
};

void Commands::told_as_never_begun(std::string const& exec) {
  never_.insert(exec);
  if (begun_.contains(exec))
    world_.fail("command " + exec + " runs, and a person was told that it never began");
}

std::shared_ptr<node::Executor> Commands::on(std::shared_ptr<node::FakeRunner> runner) {
  return std::make_shared<Played>(*this, std::move(runner));
}

}  // namespace lepton::sim
