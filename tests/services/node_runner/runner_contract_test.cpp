// The contract on real processes and on the fake.

#include "tests/services/node_runner/runner_contract.hpp"

#include "services/node/runner/fake_runner.hpp"
#include "services/node/runner/process_runner.hpp"

namespace lepton::node {
namespace {

class RealHarness final : public Harness {
 public:
  Runner& runner() override { return runner_; }
  std::int64_t now_ms() const override { return SystemClock().now_ms(); }
  void pass_a_moment() override { ::poll(nullptr, 0, 5); }
  void behave(RunSpec& spec, Task task) override { behave_in_shell(spec, task); }
  Runner& killed_in_launch() override { return killed_; }

 private:
  ProcessRunner open(std::string const& program) {
    ProcessRunnerOptions options;
    options.state_dir = folder_.path() + "/state";
    options.runner_program = program;
    return *ProcessRunner::open(options);
  }
  Folder folder_;
  ProcessRunner runner_{open(LEPTON_RUNNER)}, killed_{open(killed_program(folder_))};
};

class FakeHarness final : public Harness {
 public:
  Runner& runner() override { return runner_; }
  std::int64_t now_ms() const override { return clock_.now_ms(); }
  void pass_a_moment() override { clock_.pass(5); }
  void behave(RunSpec& spec, Task task) override {
    spec.command = {"fake"};
    FakeTask fake;
    fake.log = "ready\n";
    if (task == Task::exits_3) {
      fake.duration_ms = 20;
      fake.exit_code = 3;
    } else {
      fake.duration_ms.reset();
      fake.ends_on_term = task == Task::runs_on;
      if (task == Task::uses_memory) fake.memory_used_mib = 32;
    }
    runner_.script(spec.task, fake);
  }
  Runner& killed_in_launch() override {
    runner_.cut_next_launch();
    return runner_;
  }

 private:
  ManualClock clock_;
  FakeRunner runner_{clock_};
};

template <class H>
std::unique_ptr<Harness> make() {
  return std::make_unique<H>();
}

INSTANTIATE_TEST_SUITE_P(All, RunnerContract,
                         testing::Values(&make<RealHarness>, &make<FakeHarness>),
                         [](auto const& which) { return which.index == 0 ? "Process" : "Fake"; });

}  // namespace
}  // namespace lepton::node
