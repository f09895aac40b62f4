#include "common/postgres/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

// glibc 2.36 forgot the language linkage in this header.
extern "C" {
#include <sys/pidfd.h>
}

#include "common/base/text.hpp"

namespace lepton::postgres {
namespace {

constexpr std::size_t output_bytes_max = 64 * 1024;

Error system_error(std::string_view what) {
  return {Code::internal, fmt::format("{}: {}", what, std::strerror(errno))};
}

std::vector<char*> pointers(std::vector<std::string> const& words) {
  std::vector<char*> out;
  for (auto const& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// Everything the child needs, prepared before fork: afterwards only async-signal-safe calls.
struct Prepared {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  char const* program;
  char const* directory;
  int input;
  int output;
  int report;
  pid_t parent;
  User const* user;
  int parent_death_signal;
};

[[noreturn]] void fail_child(int report) {
  int const reason = errno;
  [[maybe_unused]] auto const written = write(report, &reason, sizeof reason);
  _exit(127);
}

bool become(User const& user) {
  return setgroups(user.groups.size(), user.groups.data()) == 0 &&
         setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void run_child(Prepared const& p) {
  // An own session: a terminal's Ctrl-C must not reach PostgreSQL before we ask it to stop.
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGCHLD}) std::signal(number, SIG_DFL);
  if (dup2(p.input, 0) < 0 || dup2(p.output, 1) < 0 || dup2(p.output, 2) < 0) fail_child(p.report);
  if (p.user != nullptr && !become(*p.user)) fail_child(p.report);
  if (chdir(p.directory) != 0) fail_child(p.report);
  umask(077);
  // After the change of user, which clears it; the parent may already be gone.
  if (p.parent_death_signal != 0) {
    if (prctl(PR_SET_PDEATHSIG, p.parent_death_signal) != 0) fail_child(p.report);
    if (getppid() != p.parent) _exit(127);
  }
  // All descriptors of this project are close-on-exec; this also catches those of libraries.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  execve(p.program, p.arguments.data(), p.environment.data());
  fail_child(p.report);
}

// Nothing when exec succeeded (the pipe closed), else the child's errno.
std::optional<int> read_report(int fd) {
  int reason = 0;
  ssize_t count = 0;
  do count = read(fd, &reason, sizeof reason);
  while (count < 0 && errno == EINTR);
  if (count == sizeof reason) return reason;
  return std::nullopt;
}

Result<User> user_of(passwd const* entry, std::string const& wanted) {
  if (entry == nullptr)
    return Error{Code::not_found, fmt::format("{} has no entry in the user database", wanted)};
  User user{entry->pw_name, entry->pw_uid, entry->pw_gid, {}};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (getgrouplist(entry->pw_name, entry->pw_gid, user.groups.data(), &count) < 0)
    return Error{Code::invalid, fmt::format("{} is in more than 64 groups", wanted)};
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

}  // namespace

Result<User> find_user(std::string const& name) {
  return user_of(getpwnam(name.c_str()), fmt::format("user '{}'", name));
}

Result<User> current_user() {
  return user_of(getpwuid(geteuid()), fmt::format("user id {}", geteuid()));
}

std::optional<int> Child::wait(TimeMs limit_ms) {
  if (status_) return status_;
  pollfd entry{pidfd_.get(), POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(limit_ms)) <= 0) return std::nullopt;
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) {
    status_ = -1;  // reaped by somebody else in this process: ended, its status unknown
  } else {
    status_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  }
  return status_;
}

void Child::signal(int number) {
  if (!status_) pidfd_send_signal(pidfd_.get(), number, nullptr, 0);
}

Result<Child> spawn(Command const& command) {
  Fd const null(open("/dev/null", O_RDWR | O_CLOEXEC));
  std::array<int, 2> pipe_ends{};
  if (!null || pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return system_error("cannot open a pipe");
  Fd const report_in(pipe_ends[0]);
  Fd report_out(pipe_ends[1]);

  auto words = command.arguments;
  words.insert(words.begin(), command.program.string());
  Prepared const prepared{pointers(words),
                          pointers(command.environment),
                          command.program.c_str(),
                          command.directory.c_str(),
                          command.input >= 0 ? command.input : null.get(),
                          command.output >= 0 ? command.output : null.get(),
                          report_out.get(),
                          getpid(),
                          command.user ? &*command.user : nullptr,
                          command.parent_death_signal};
  pid_t const pid = fork();
  if (pid < 0) return system_error("cannot start another process");
  if (pid == 0) run_child(prepared);

  report_out = Fd();
  if (auto const reason = read_report(report_in.get())) {
    waitpid(pid, nullptr, 0);
    return Error{
        *reason == ENOENT ? Code::not_found : Code::internal,
        fmt::format("cannot run {}: {}", command.program.string(), std::strerror(*reason))};
  }
  Fd pidfd(pidfd_open(pid, 0));
  if (!pidfd) return system_error("cannot watch a process (Linux 5.3 or newer is needed)");
  return Child(pid, std::move(pidfd));
}

Result<Fd> memory_file(std::string_view content, std::optional<User> const& user) {
  Fd file(memfd_create("lepton", MFD_CLOEXEC));
  if (!file) return system_error("cannot create a file in memory");
  if (user && fchown(file.get(), user->uid, user->gid) != 0)
    return system_error("cannot hand over a file in memory");
  if (fchmod(file.get(), 0600) != 0 ||
      pwrite(file.get(), content.data(), content.size(), 0) != ssize_t(content.size()))
    return system_error("cannot fill a file in memory");
  return file;
}

std::string read_tail(int fd) {
  auto const size = lseek(fd, 0, SEEK_END);
  auto const start = std::max<off_t>(0, size - static_cast<off_t>(output_bytes_max));
  std::string text(static_cast<std::size_t>(size - start), '\0');
  auto const count = pread(fd, text.data(), text.size(), start);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

Result<std::string> run(Command command, TimeMs limit_ms) {
  auto output = memory_file("", std::nullopt);
  if (!output) return output.error();
  command.output = output->get();
  auto child = spawn(command);
  if (!child) return child.error();
  auto const status = child->wait(limit_ms);
  auto const name = command.program.filename().string();
  if (!status) {
    child->signal(SIGKILL);
    child->wait(-1);
    return Error{Code::timeout,
                 fmt::format("{} had not ended after {} s and was stopped", name, limit_ms / 1000)};
  }
  auto printed = read_tail(output->get());
  if (*status == 0) return printed;
  auto const full = printed.find("No space left on device") != printed.npos;
  auto lines = text::split(text::trim(printed), '\n');
  if (lines.size() > 6) lines.erase(lines.begin(), lines.end() - 6);
  return Error{
      full ? Code::exhausted : Code::internal,
      fmt::format("{} failed with status {}: {}{}", name, *status, text::join(lines, " | "),
                  full ? "; free some disk space and try again" : "")};
}

}  // namespace lepton::postgres
