// lepton-runner: the process that stands above one attempt. Started by the node with
//   lepton-runner STATE_DIR ATTEMPT MOUNTINFO [adopt]
// and a socket on descriptor 3 (launch_channel.hpp). It leaves the node's session at once and
// outlives every restart of the node. It holds secrets until the task has them: no core dump, not
// debuggable.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "services/node/runner/launch_channel.hpp"
#include "services/node/runner/program/guard.hpp"

namespace {

bool harden() {
  rlimit const no_core{0, 0};
  ::umask(077);
  ::signal(SIGPIPE, SIG_IGN);
  ::close_range(lepton::node::launch_fd + 1, ~0u, 0);
  ::fcntl(lepton::node::launch_fd, F_SETFD, FD_CLOEXEC);
  return ::chdir("/") == 0 && ::setrlimit(RLIMIT_CORE, &no_core) == 0 &&
         ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  auto const adopts = argc == 5 && std::string_view(argv[4]) == "adopt";
  if ((argc != 4 && !adopts) || ::fcntl(lepton::node::launch_fd, F_GETFD) < 0) {
    std::fprintf(stderr,
                 "lepton-runner is started by the lepton node, not by hand; see `lepton job`\n");
    return 2;
  }
  if (!harden()) return 1;
  ::setsid();
  auto const guard = ::fork();
  if (guard != 0) ::_exit(guard < 0 ? 1 : 0);  // the node reaps this process at once
  // Everything is written and synced by then; exit handlers of libraries have no part in it.
  ::_exit(lepton::node::guard_main({argv[1], argv[2], argv[3], adopts},
                                   lepton::Fd(lepton::node::launch_fd)));
}
