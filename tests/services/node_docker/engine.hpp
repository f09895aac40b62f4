#pragma once
// A Docker engine of the test program's own: dockerd in a folder of its own, without bridge and
// firewall rules, with one image of a static busybox. Started once, ended with the program. Where
// the machine cannot run one, `why_not` says it and the tests are skipped.

#include <sys/types.h>

#include <optional>
#include <string>

#include "services/node/runner/docker/docker_api.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {

class Engine {
 public:
  static Engine& get();
  ~Engine();

  std::string const& why_not() const { return why_not_; }
  std::string socket() const { return folder_.path() + "/docker.sock"; }
  DockerApi api() const { return DockerApi(socket()); }
  static constexpr char const* image = "lepton-test/busybox:1";

  // As a crash of the engine's service, and its return.
  void kill();
  bool start(bool keeps_running = false);
  bool restart();

 private:
  Engine();
  bool make_image();
  void end(pid_t who);

  Folder folder_;
  std::string why_not_;
  pid_t pid_ = 0;
};

#define NEEDS_ENGINE() \
  if (!Engine::get().why_not().empty()) GTEST_SKIP() << Engine::get().why_not()

}  // namespace lepton::node
