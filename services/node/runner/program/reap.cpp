#include "services/node/runner/program/reap.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/time.hpp"
#include "services/node/runner/process_table.hpp"

namespace lepton::node {

void kill_descendants() {
  for (auto const& process : descendants(list_processes(), ::getpid()))
    signal_exactly(process, SIGKILL);
}

bool end_descendants(std::int64_t patience_ms) {
  SystemClock const clock;
  auto const give_up_ms = clock.now_ms() + patience_ms;
  for (int pause_ms = 1;;) {
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0 && errno == ECHILD) return true;
    if (clock.now_ms() >= give_up_ms) return false;
    kill_descendants();
    ::poll(nullptr, 0, pause_ms);
    pause_ms = pause_ms < 256 ? pause_ms * 2 : pause_ms;
  }
}

}  // namespace lepton::node
