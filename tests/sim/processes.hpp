#pragma once
// Runs one part of a piece of work in each of several child processes and gives back what each has
// counted. A child that dies is told by its status. SIGTERM and SIGINT end the children, too.

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace lepton::sim {

inline constexpr int look_every_ms = 20;

// `run(part, counted)` returns the child's exit status; once `is_over()` the children are ended.
template <class T, class Run, class IsOver>
std::vector<T> in_processes(std::size_t count, Run const& run, IsOver const& is_over,
                            bool& all_good) {
  static_assert(std::is_trivially_copyable_v<T>, "counted in memory that the processes share");
  auto* const memory =
      ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory to share");
  auto* const counted = static_cast<T*>(memory);
  std::vector<pid_t> children;
  for (std::size_t part = 0; part < count; ++part) {
    auto const child = ::fork();
    if (child < 0) throw std::runtime_error("no process could be started");
    if (child == 0) ::_exit(run(part, counted[part]));
    children.push_back(child);
  }
  all_good = true;
  for (auto told = false; !children.empty(); ::poll(nullptr, 0, look_every_ms)) {
    if (is_over() && !std::exchange(told, true))
      for (auto const child : children) ::kill(child, SIGTERM);
    std::erase_if(children, [&](pid_t child) {
      int status = 0;
      auto const done = ::waitpid(child, &status, WNOHANG);
      if (done == 0) return false;
      all_good = all_good && done == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
      return true;
    });
  }
  std::vector<T> all(counted, counted + count);
  ::munmap(memory, count * sizeof(T));
  return all;
}

}  // namespace lepton::sim
