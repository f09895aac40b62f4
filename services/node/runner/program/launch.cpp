#include "services/node/runner/program/launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/program/keeper.hpp"

namespace lepton::node {
namespace {

constexpr int beside_limit_ms = 2'000;  // who else watches the task waits meanwhile

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return file_error("make", "a pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

[[noreturn]] void give_up(int report, std::string const& doing) {
  auto const text = fmt::format("{}: {}", doing, std::strerror(errno));
  (void)write_all(report, text, "the launch pipe");
  ::_exit(127);
}

// The task must not outlive its runner, whatever happens to it. Changing the user clears this, so
// it is set again afterwards; the second look finds a runner that died in between.
void die_with_parent(pid_t runner, int report) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(report, "cannot tie the task to its runner");
  if (::getppid() != runner) ::_exit(127);
}

void reset_signals() {
  for (int signal = 1; signal < SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void connect_output(int output, int report) {
  Fd const null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null || ::dup2(null.get(), 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0)
    give_up(report, "cannot connect the task's output");
}

void connect_streams(std::array<int, 3> const& streams, int report) {
  for (int i = 0; i < 3; ++i)
    if (::dup2(streams[static_cast<std::size_t>(i)], i) < 0)
      give_up(report, "cannot connect the command's streams");
}

// No descriptor of the runner stays open in it: the task's lock is one of them.
[[noreturn]] void keep_beside(LaunchPlan const& plan, int report) {
  auto const environment = environment_of(plan.beside);
  if (!environment) give_up(report, "cannot read the task's environment");
  ::close_range(3, ~0u, 0);
  ::_exit(keep_command(plan.command, *environment));
}

void become(User const& user, int report) {
  if (::initgroups(user.name.c_str(), user.gid) != 0 ||
      ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0)
    give_up(report, fmt::format("cannot become user {}", user.name));
  if (user.uid != 0 && ::setuid(0) == 0) {
    errno = EPERM;
    give_up(report, "root rights did not go away");
  }
}

char** pointers(std::vector<std::string> const& texts, std::vector<char*>& out) {
  for (auto const& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out.data();
}

[[noreturn]] void become_task(LaunchPlan const& plan, pid_t runner, int output, int report) {
  ::setsid();
  die_with_parent(runner, report);
  if (!join_groups(plan.groups)) give_up(report, "cannot join the attempt's control group");
  reset_signals();
  if (plan.streams)
    connect_streams(*plan.streams, report);
  else
    connect_output(output, report);
  rlimit const no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::umask(077);
  if (plan.switch_to) become(*plan.switch_to, report);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(report, "cannot set no_new_privs");
  die_with_parent(runner, report);
  if (::chdir(plan.working_dir.c_str()) != 0)
    give_up(report,
            fmt::format("cannot enter the working folder {} as the task's user", plan.working_dir));
  if (plan.beside > 0) keep_beside(plan, report);
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  std::vector<char*> argv, environment;
  pointers(plan.command, argv);
  ::environ = pointers(plan.environment, environment);
  ::execvpe(argv[0], argv.data(), environment.data());
  give_up(report, fmt::format("cannot run the program {}", plan.command[0]));
}

// What the child says before exec closes the pipe; nothing when exec succeeded.
std::string read_report(int pipe, int limit_ms) {
  std::string text;
  char part[1024];
  for (;;) {
    pollfd source{pipe, POLLIN, 0};
    auto const ready = ::poll(&source, 1, limit_ms);
    if (ready == 0) return "the command does not begin: something holds it up";
    if (ready < 0) continue;
    auto const n = ::read(pipe, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(part, static_cast<std::size_t>(n));
  }
}

}  // namespace

Result<Launched> launch_task(LaunchPlan const& plan) {
  auto output = make_pipe(), report = make_pipe();
  if (!output) return output.error();
  if (!report) return report.error();
  auto const runner = ::getpid();
  auto const pid = ::fork();
  if (pid < 0) return file_error("fork", "the task", errno);
  if (pid == 0) become_task(plan, runner, output->write.get(), report->write.get());
  output->write.reset();
  report->write.reset();
  // Beside a task that lives nothing is waited for: its end is reaped with the others.
  auto const is_beside = plan.streams.has_value();
  auto const trouble = read_report(report->read.get(), is_beside ? beside_limit_ms : -1);
  if (!trouble.empty()) {
    ::kill(pid, SIGKILL);
    if (!is_beside) ::waitpid(pid, nullptr, 0);
    return Error{Code::invalid, trouble};
  }
  if (plan.streams) return Launched{pid, {}};
  ::fcntl(output->read.get(), F_SETFL, O_NONBLOCK);
  return Launched{pid, std::move(output->read)};
}

}  // namespace lepton::node
