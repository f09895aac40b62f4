// The contract of the port on real containers.

#include "services/node/runner/process_runner.hpp"
#include "tests/services/node_docker/engine.hpp"
#include "tests/services/node_runner/runner_contract.hpp"

namespace lepton::node {
namespace {

class ContainerHarness final : public Harness {
 public:
  Runner& runner() override { return runner_; }
  std::int64_t now_ms() const override { return SystemClock().now_ms(); }
  void pass_a_moment() override { ::poll(nullptr, 0, 5); }
  void behave(RunSpec& spec, Task task) override {
    behave_in_shell(spec, task);
    spec.image = Engine::image;
  }
  Runner& killed_in_launch() override { return killed_; }

 private:
  ProcessRunner open(std::string const& program) {
    ProcessRunnerOptions options;
    options.state_dir = folder_.path() + "/state";
    options.runner_program = program;
    options.engine_socket = Engine::get().socket();
    return *ProcessRunner::open(options);
  }
  Folder folder_;
  ProcessRunner runner_{open(LEPTON_RUNNER)}, killed_{open(killed_program(folder_))};
};

std::unique_ptr<Harness> make_containers() {
  return std::make_unique<ContainerHarness>();
}

INSTANTIATE_TEST_SUITE_P(All, RunnerContract, testing::Values(&make_containers),
                         [](auto const&) { return "Docker"; });

}  // namespace
}  // namespace lepton::node
