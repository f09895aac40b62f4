#pragma once
// Program: one long-lived child of the supervisor: its start, its log file, its end. It dies with
// the supervisor (SIGTERM by the kernel), so the thread that starts it must live as long as it.
// Also: what an earlier supervisor may have left running. One thread; times in ms. Errors:
// not_found, timeout, internal, exhausted (disk).

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/postgres/process.hpp"

namespace lepton::cli {

inline constexpr std::uintmax_t log_bytes_max = 10u << 20;  // then it becomes NAME.log.1

struct ProgramSpec {
  std::string name;
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::filesystem::path log;
  bool outlives = false;  // true: it stays when we end
};

class Program {
 public:
  static Result<Program> start(ProgramSpec const& spec);

  pid_t pid() const { return child_.pid(); }
  std::optional<int> exited() { return child_.wait(0); }
  std::optional<int> exited_within(TimeMs limit_ms) { return child_.wait(limit_ms); }
  // SIGTERM, and after the limit SIGKILL, which is reported as a timeout.
  Status stop(TimeMs limit_ms);

 private:
  Program(std::string name, postgres::Child child)
      : name_(std::move(name)), child_(std::move(child)) {}
  std::string name_;
  postgres::Child child_;
};

// Keeps one older file. The writer appends and goes on undisturbed; what it writes within the
// microseconds between copy and truncation can be lost.
void rotate_log(std::filesystem::path const& log, std::uintmax_t bytes_max = log_bytes_max);

// The last lines of a log, joined by " | ".
std::string log_end(std::filesystem::path const& log);

// Processes that run `<program> <flag> <config>`, by what the kernel says of them.
std::vector<pid_t> running(std::string const& program, std::filesystem::path const& config,
                           std::string const& flag = "--config");
// Ends them: SIGTERM, after the limit SIGKILL. Only for processes found by running().
Status end_leftovers(std::vector<pid_t> const& pids, TimeMs limit_ms);

}  // namespace lepton::cli
