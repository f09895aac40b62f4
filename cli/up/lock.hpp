#pragma once
// StateLock: who supervises a state folder. A POSIX record lock on <state>/up.lock, so that the
// kernel itself says which process holds it and forgets it with that process; the pid in the file
// is for people only. The lock belongs to the process that took it, so it is taken after every
// fork. One thread. Errors: conflict (another holds it), denied.

#include <sys/types.h>

#include <optional>

#include "cli/up/layout.hpp"
#include "common/postgres/process.hpp"

namespace lepton::cli {

class StateLock {
 public:
  // conflict names the pid that holds it.
  static Result<StateLock> take(Layout const& layout);

 private:
  explicit StateLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

// The process that holds the lock; nothing when nobody does. Never asks about a lock of our own.
Result<std::optional<pid_t>> supervisor_of(Layout const& layout);

}  // namespace lepton::cli
