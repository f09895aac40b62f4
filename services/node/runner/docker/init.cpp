// lepton-init: the first process in a container. Linked statically, so that it runs in any image.
// Reads variables and secrets from /.lepton/env (container_pipe.hpp has the format), puts secrets
// into /run/secrets, sends what is printed to /.lepton/log, starts the task, passes signals on to
// it, and reaps whatever it leaves. Ends with the task's exit code, or 128 and the signal's number.
//   lepton-init --exec COMMAND...   not as the first process: runs a command with the environment
//   of the task, under a keeper (program/keeper.hpp)

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "services/node/runner/program/keeper.hpp"

namespace {

constexpr std::size_t head_size = 11, frame_max = std::size_t{1} << 20;
constexpr int cannot_begin = 125, cannot_run = 127, signal_base = 128;

[[noreturn]] void give_up(char const* doing, int code = cannot_begin) {
  std::fprintf(stderr, "lepton: %s: %s\n", doing, std::strerror(errno));
  std::_Exit(code);
}

// Exactly as many, or the end of the program: both ends of the pipe are ours.
std::string read_exactly(int fd, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size;) {
    auto const n = ::read(fd, text.data() + at, size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) give_up("cannot read the environment");
    at += static_cast<std::size_t>(n);
  }
  return text;
}

std::string read_frame() {
  int const fd = ::open("/.lepton/env", O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("cannot open the pipe of the environment");
  auto const size = std::strtoul(read_exactly(fd, head_size).c_str(), nullptr, 10);
  if (size > frame_max) give_up("the environment is too large");
  auto frame = read_exactly(fd, size);
  ::close(fd);
  return frame;
}

void keep_secret(std::string const& name, std::string const& value) {
  auto const path = "/run/secrets/" + name;
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  if (fd < 0 || ::write(fd, value.data(), value.size()) != static_cast<ssize_t>(value.size()))
    give_up(path.c_str());
  ::close(fd);
}

// The image's own variables stay where the attempt does not say otherwise.
void take_environment() {
  auto frame = read_frame();
  for (std::size_t at = 0; at < frame.size();) {
    std::string const entry(frame.c_str() + at);
    at += entry.size() + 1;
    auto const equals = entry.find('=');
    if (equals == std::string::npos) continue;
    auto const name = entry.substr(1, equals - 1), value = entry.substr(equals + 1);
    ::setenv(name.c_str(), value.c_str(), 1);
    if (entry[0] == 's') keep_secret(name, value);
  }
  ::explicit_bzero(frame.data(), frame.size());
  ::setenv("HOME", "/", 0);
}

// Open for reading, too: the task's prints wait, and do not fail, while nobody watches outside.
void connect_output() {
  int const log = ::open("/.lepton/log", O_RDWR | O_CLOEXEC);
  if (log < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) give_up("cannot open the log");
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
}

[[noreturn]] void become_task(char** argv, sigset_t const& none) {
  ::setpgid(0, 0);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], argv);
  auto const doing = std::string("cannot run the program ") + argv[0];
  give_up(doing.c_str(), cannot_run);
}

// As the first process it has to reap strangers, too.
int watch(pid_t task, sigset_t const& all) {
  for (;;) {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == task) return exit_code_of(status);
    int signal = 0;
    if (::sigwait(&all, &signal) == 0 && signal != SIGCHLD) ::kill(-task, signal);
  }
}

int run_beside(char** argv) {
  ::umask(077);
  auto const task = lepton::node::oldest_child(1);
  auto const environment = task ? lepton::node::environment_of(*task) : std::nullopt;
  if (!environment) give_up("cannot read the task's environment");
  std::vector<std::string> command;
  for (; *argv != nullptr; ++argv) command.emplace_back(*argv);
  return lepton::node::keep_command(command, *environment);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return cannot_begin;
  if (argc > 2 && std::string_view(argv[1]) == "--exec" && ::getpid() != 1)
    return run_beside(argv + 2);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(077);
  sigset_t all, none;
  ::sigemptyset(&none);
  ::sigemptyset(&all);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD})
    ::sigaddset(&all, signal);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  connect_output();
  take_environment();
  auto const task = ::fork();
  if (task < 0) give_up("cannot start the task");
  if (task == 0) become_task(argv + 1, none);
  ::setpgid(task, task);
  return watch(task, all);
}
