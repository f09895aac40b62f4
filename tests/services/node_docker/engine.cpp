#include "tests/services/node_docker/engine.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fstream>
#include <vector>

namespace lepton::node {
namespace {

constexpr std::int64_t start_limit_ms = 60'000;

pid_t spawn(std::vector<std::string> words, std::string const& log) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto const pid = ::fork();
  if (pid != 0) return pid;
  ::setsid();
  int const out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

bool all_installed() {
  auto const pid = spawn(
      {"sh", "-c", "command -v dockerd && command -v docker && command -v busybox"}, "/dev/null");
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace

Engine& Engine::get() {
  static Engine engine;
  return engine;
}

Engine::Engine() {
  if (::geteuid() != 0)
    why_not_ = "needs root: only root can start a Docker engine";
  else if (!all_installed())
    why_not_ = "needs Debian's docker.io and busybox-static";
  else if (!start())
    why_not_ =
        "this machine does not let a Docker engine start (control groups or overlays are "
        "missing)";
  else if (!make_image())
    why_not_ = "the engine takes no image";
}

Engine::~Engine() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

bool Engine::start(bool keeps_running) {
  auto const& at = folder_.path();
  pid_ = spawn(
      {"dockerd", "--data-root=" + at + "/data", "--exec-root=" + at + "/run",
       "--pidfile=" + at + "/pid", "--host=unix://" + socket(), "--bridge=none", "--iptables=false",
       "--ip6tables=false", keeps_running ? "--live-restore=true" : "--live-restore=false"},
      at + "/log");
  return wait_until([&] { return api().version() || ::waitpid(pid_, nullptr, WNOHANG) == pid_; },
                    start_limit_ms) &&
         api().version();
}

void Engine::kill() {
  end(-pid_);
}

// The containers go on below their shims.
bool Engine::restart() {
  end(pid_);
  return start(true);
}

// With the containerd that it started, which becomes our child then: a new engine would take even
// its unreaped entry for a living one.
void Engine::end(pid_t who) {
  std::ifstream file(folder_.path() + "/run/containerd/containerd.pid");
  pid_t containerd = 0;
  file >> containerd;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::kill(who, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  if (containerd > 0) ::waitpid(containerd, nullptr, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

// One static program is the whole system.
bool Engine::make_image() {
  auto const root = folder_.path() + "/root";
  auto const script =
      "set -e; mkdir -p " + root + "/bin " + root + "/tmp " + root +
      "/out; cp $(command -v busybox) " + root + "/bin/; for w in sh sleep echo cat id env " +
      "ls kill true dd tail stat; do ln -s busybox " + root + "/bin/$w; done; " + "chmod 1777 " +
      root + "/tmp; tar -C " + root + " -c . | docker -H unix://" + socket() + " import - " + image;
  auto const pid = spawn({"sh", "-c", script}, folder_.path() + "/log");
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace lepton::node
