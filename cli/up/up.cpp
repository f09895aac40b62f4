#include "cli/up/up.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/up/lock.hpp"
#include "cli/up/settings.hpp"
#include "cli/up/stack.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

std::string next_steps(Layout const& layout, UpOptions const& o) {
  std::string text = "next: lepton status\n";
  if (!o.state.empty())
    text = fmt::format("next: export LEPTON_CONTEXT={}\n", layout.context) + text;
  return text + "      lepton apply -f examples/digits/train.yaml\n      lepton down";
}

// `ready` is called once, when everything answers.
Result<int> run_stack(Shell& shell, UpOptions const& o, std::function<void(Layout const&)> ready) {
  auto const layout = find_layout(o.state, shell.context_path);
  if (!layout) return layout.error();
  Signals signals;
  if (auto made = make_folders(*layout); !made) return made.error();
  auto const lock = StateLock::take(*layout);
  if (!lock) return lock.error();
  auto const settings = wanted_settings(*layout, o);
  if (!settings) return settings.error();
  if (settings->is_apart())
    return Error{Code::conflict,
                 fmt::format("{} belongs to a stack of containers (docs/compose.md); "
                             "start that, or choose another folder by --state DIR",
                             layout->state.string())};
  Stack stack({*layout, *settings, {}}, signals, [&shell](std::string const& line) {
    shell.say(text::utc(SystemClock().wall_ms()) + " " + line);
  });
  if (auto started = stack.start(); !started) return started.error();
  if (auto kept = write_settings(*layout, *settings); !kept) return kept.error();
  if (auto written = write_context(layout->context, client_context(stack.plan())); !written)
    return written.error();
  shell.say(fmt::format("the control plane runs; its files are in {}", layout->state.string()));
  shell.say(next_steps(*layout, o));
  ready(*layout);
  auto const kept = stack.supervise();
  stack.stop();
  return kept ? Result<int>(0) : Result<int>(kept.error());
}

// From here on nobody's terminal or pipe is held open.
void leave_terminal(Layout const& layout) {
  std::fflush(nullptr);
  auto const path = layout.log("lepton");
  rotate_log(path);
  Fd const null(open("/dev/null", O_RDWR | O_CLOEXEC));
  Fd const log(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  auto const output = log ? log.get() : null.get();
  dup2(null.get(), STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
}

Result<int> run_behind(Shell& shell, UpOptions const& o, Fd news) {
  setsid();
  return run_stack(shell, o, [&news](Layout const& layout) {
    leave_terminal(layout);
    char const ready = 1;
    [[maybe_unused]] auto const told = write(news.get(), &ready, 1);
    news = Fd();
    [[maybe_unused]] auto const moved = chdir("/");
  });
}

// The supervisor is a child of this process, which waits until it is ready or has said why not.
Result<int> detach(Shell& shell, UpOptions const& o) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Error{Code::internal, fmt::format("cannot open a pipe: {}", std::strerror(errno))};
  Fd const in(ends[0]);
  Fd out(ends[1]);
  std::fflush(nullptr);
  auto const pid = fork();
  if (pid < 0)
    return Error{Code::internal, fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (pid == 0) return run_behind(shell, o, std::move(out));
  out = Fd();
  char ready = 0;
  ssize_t count = 0;
  do count = read(in.get(), &ready, 1);
  while (count < 0 && errno == EINTR);
  if (count == 1) return 0;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return WEXITSTATUS(status);
  return Error{Code::internal,
               "the supervisor ended before everything was ready; try `lepton up` "
               "without --detach to see why"};
}

}  // namespace

Result<int> up(Shell& shell, UpOptions const& options) {
  if (options.detach) return detach(shell, options);
  return run_stack(shell, options, [](Layout const&) {});
}

}  // namespace lepton::cli
