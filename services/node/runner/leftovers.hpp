#pragma once
// What to do with an attempt whose runner died: end all that may still live of it, and only then
// say so. The caller holds the task's lock. Blocking, bounded by the given time.

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/task_lock.hpp"

namespace lepton::node {

// `unavailable` when some process outlived SIGKILL for that long (it hangs in the kernel): then
// nothing is confirmed, and the caller asks again later.
Status end_leftovers(AttemptFiles const& files, RunStatus const& status, std::int64_t patience_ms);

// `programs`: the folder of lepton-container. Ends leftovers, writes the final status `lost`, and
// clears the lock's holder. An attempt that has already a final status keeps it.
Result<RunStatus> settle_dead(AttemptFiles const& files, TaskLock& lock,
                              std::string const& programs, std::int64_t patience_ms);

}  // namespace lepton::node
