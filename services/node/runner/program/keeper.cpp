#include "services/node/runner/program/keeper.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lepton::node {
namespace {

constexpr std::size_t part_max = 64 << 10, environment_max = 1 << 20;
constexpr int signal_base = 128, cannot_run = 127, cannot_begin = 125;
constexpr std::int64_t term_grace_ms = 2'000, kill_patience_ms = 10'000;
constexpr int turn_ms = 20;

std::int64_t now_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1'000 + t.tv_nsec / 1'000'000;
}

struct Child {
  pid_t pid = 0;
  unsigned long long start_ticks = 0;
};

// proc(5): the name may hold spaces and parentheses; parent is the second field behind it, the
// start the twentieth.
std::optional<Child> child_in(char const* pid, pid_t parent) {
  int const fd = ::open((std::string("/proc/") + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char line[1024];
  auto const n = ::read(fd, line, sizeof line - 1);
  ::close(fd);
  if (n <= 0) return std::nullopt;
  line[n] = '\0';
  auto const* rest = std::strrchr(line, ')');
  int its_parent = 0;
  Child child{static_cast<pid_t>(std::atoi(pid)), 0};
  constexpr auto format =
      ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
      "%*d %*d %llu";
  if (rest == nullptr || std::sscanf(rest, format, &its_parent, &child.start_ticks) != 2 ||
      its_parent != parent)
    return std::nullopt;
  return child;
}

std::vector<Child> children_of(pid_t parent) {
  std::vector<Child> all;
  auto* const folder = ::opendir("/proc");
  if (folder == nullptr) return all;
  while (auto const* entry = ::readdir(folder))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
      if (auto const child = child_in(entry->d_name, parent)) all.push_back(*child);
  ::closedir(folder);
  return all;
}

// Orphans of the command come to this process: when it has no child left, nothing of it lives.
void end_all() {
  for (auto const until = now_ms() + kill_patience_ms; now_ms() < until; ::poll(nullptr, 0, 1)) {
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (pid < 0 && errno == ECHILD) return;
    for (auto const& child : children_of(::getpid())) ::kill(child.pid, SIGKILL);
  }
}

char** pointers(std::vector<std::string> const& texts, std::vector<char*>& out) {
  for (auto const& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out.data();
}

[[noreturn]] void become(std::vector<std::string> const& command,
                         std::vector<std::string> const& environment, int input, pid_t keeper) {
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != keeper) ::_exit(cannot_begin);
  for (int signal = 1; signal < SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(input, 0);
  std::vector<char*> argv, variables;
  pointers(command, argv);
  ::environ = pointers(environment, variables);
  ::execvpe(argv[0], argv.data(), variables.data());
  std::fprintf(stderr, "lepton: cannot run the program %s: %s\n", argv[0], std::strerror(errno));
  ::_exit(cannot_run);
}

class Keeper {
 public:
  int run(std::vector<std::string> const& command, std::vector<std::string> const& environment) {
    if (!begin(command, environment)) {
      std::fprintf(stderr, "lepton: cannot begin the command: %s\n", std::strerror(errno));
      return cannot_begin;
    }
    while (!code_) turn();
    end_all();
    return *code_;
  }

 private:
  bool begin(std::vector<std::string> const& command, std::vector<std::string> const& environment) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (int signal : {SIGCHLD, SIGTERM, SIGHUP, SIGINT}) ::sigaddset(&wanted, signal);
    signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    int ends[2];
    if (signals_ < 0 || ::pipe2(ends, O_CLOEXEC) != 0) return false;
    auto const keeper = ::getpid();
    child_ = ::fork();
    if (child_ < 0) return false;
    if (child_ == 0) become(command, environment, ends[0], keeper);
    ::setpgid(child_, child_);
    ::close(ends[0]);
    input_ = ends[1];
    ::fcntl(input_, F_SETFL, O_NONBLOCK);
    ::fcntl(0, F_SETFL, O_NONBLOCK);
    return true;
  }

  void turn() {
    short const wants_more = pending_.empty() && !gone_ ? POLLIN : 0;
    short const gives_more = pending_.empty() ? 0 : POLLOUT;
    pollfd sources[] = {{gone_ ? -1 : 0, wants_more, 0},
                        {signals_, POLLIN, 0},
                        {pending_.empty() ? -1 : input_, gives_more, 0}};
    ::poll(sources, 3, gone_ ? turn_ms : -1);
    if ((sources[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) hang_up();
    if ((sources[0].revents & POLLIN) != 0 && !gone_) read_frames();
    give();
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) hang_up();
    reap();
    if (gone_ && !code_ && now_ms() >= kill_at_ms_)
      for (auto const& child : children_of(::getpid())) ::kill(child.pid, SIGKILL);
  }

  void hang_up() {
    if (gone_) return;
    gone_ = true;
    kill_at_ms_ = now_ms() + term_grace_ms;
    ::kill(-child_, SIGTERM);
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == child_)
        code_ = WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
  }

  void read_frames() {
    char part[part_max];
    auto const n = ::read(0, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) return hang_up();
    for (ssize_t i = 0; i < n;) {
      if (left_ > 0) {
        auto const take = std::min<std::size_t>(left_, static_cast<std::size_t>(n - i));
        if (input_ >= 0) pending_.append(part + i, take);
        left_ -= take;
        i += static_cast<ssize_t>(take);
        continue;
      }
      head_ += part[i++];
      if (head_.size() == head_size) take_head();
    }
  }

  void take_head() {
    if (head_[0] == 'd')
      for (std::size_t i = 1; i < head_size; ++i)
        left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
    else
      ended_ = true;
    head_.clear();
  }

  // A command that has closed its input gets no more, and is none the worse.
  void give() {
    while (!pending_.empty() && input_ >= 0) {
      auto const n = ::write(input_, pending_.data(), pending_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) {
        pending_.clear();
        ended_ = true;
        break;
      }
      pending_.erase(0, static_cast<std::size_t>(n));
    }
    if (!ended_ || input_ < 0) return;
    ::close(input_);
    input_ = -1;
  }

  static constexpr std::size_t head_size = 5;
  pid_t child_ = 0;
  int signals_ = -1, input_ = -1;
  std::string head_, pending_;
  std::size_t left_ = 0;
  bool ended_ = false, gone_ = false;
  std::int64_t kill_at_ms_ = 0;
  std::optional<int> code_;
};

}  // namespace

int keep_command(std::vector<std::string> const& command,
                 std::vector<std::string> const& environment) {
  return Keeper().run(command, environment);
}

std::optional<std::vector<std::string>> environment_of(pid_t pid) {
  int const fd =
      ::open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  char part[part_max];
  for (;;) {
    auto const n = ::read(fd, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || text.size() > environment_max) break;
    text.append(part, static_cast<std::size_t>(n));
  }
  ::close(fd);
  ::explicit_bzero(part, sizeof part);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at += lines.back().size() + 1)
    lines.emplace_back(text.c_str() + at);
  ::explicit_bzero(text.data(), text.size());
  return lines;
}

std::optional<pid_t> oldest_child(pid_t parent) {
  auto const all = children_of(parent);
  auto const first = std::min_element(all.begin(), all.end(), [](auto const& a, auto const& b) {
    return a.start_ticks != b.start_ticks ? a.start_ticks < b.start_ticks : a.pid < b.pid;
  });
  if (first == all.end()) return std::nullopt;
  return first->pid;
}

}  // namespace lepton::node
