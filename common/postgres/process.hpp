#pragma once
// Running PostgreSQL's own programs: a child process, optionally under another user, watched
// through a pidfd so that neither a reused pid nor a foreign waitpid() can confuse us. Used by this
// library only. One thread; a Child with a parent-death signal must be spawned by a thread that
// stays alive (the kernel sends that signal when the spawning thread ends). Times in ms. Errors:
// not_found when the program is missing, timeout, internal with the program's own last lines.

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fd.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace lepton::postgres {

// The user that a child runs as.
struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

Result<User> find_user(std::string const& name);
Result<User> current_user();

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value; nothing else is inherited
  std::filesystem::path directory = "/";
  int input = -1;               // -1: /dev/null
  int output = -1;              // standard output and error; -1: /dev/null
  std::optional<User> user;     // needs root
  int parent_death_signal = 0;  // 0: the child may outlive us
};

class Child {
 public:
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid() const { return pid_; }
  // The exit status (128 + signal when killed) once it has ended, or nothing after `limit_ms`.
  std::optional<int> wait(TimeMs limit_ms);
  void signal(int number);

 private:
  pid_t pid_;
  Fd pidfd_;
  std::optional<int> status_;
};

Result<Child> spawn(Command const& command);

// Runs to the end. Ended with 0: what it printed. Otherwise an Error with the last lines of that.
Result<std::string> run(Command command, TimeMs limit_ms);

// An anonymous file in memory, readable by `user`, positioned at its start.
Result<Fd> memory_file(std::string_view content, std::optional<User> const& user);

// The last 64 KiB of a file.
std::string read_tail(int fd);

}  // namespace lepton::postgres
