#pragma once
// TaskLock: the exclusive lock of one task on this machine (flock on locks/<task>). A runner holds
// it for its whole life, so that two attempts of a task never run at once here. The file's content
// names the attempt that holds it or that died with it: an empty file means that the last holder
// ended in order, a name without a lock means that leftovers of that attempt may still live. The
// lock goes with the last process that holds the descriptor; the task itself never gets it.

#include <optional>
#include <string>
#include <string_view>

#include "services/node/runner/files.hpp"

namespace lepton::node {

class TaskLock {
 public:
  // Nothing when another process holds it. Never waits.
  static Result<std::optional<TaskLock>> try_take(std::string const& path);

  // The attempt named in the file, whether or not someone holds the lock.
  static std::string holder(std::string const& path);

  Status set_holder(std::string_view attempt);    // "" on an orderly end
  Status clear_holder(std::string_view attempt);  // only its own name
  Status unlink();                                // while holding it: no new taker gets this file

 private:
  TaskLock(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

}  // namespace lepton::node
