#include <fmt/format.h>
#include <poll.h>

#include <csignal>

// glibc 2.36 forgot the language linkage in this header.
extern "C" {
#include <sys/pidfd.h>
}

#include "cli/up/lock.hpp"
#include "cli/up/up.hpp"

namespace lepton::cli {

Result<int> down(Shell& shell, DownOptions const& options) {
  auto const layout = find_layout(options.state, shell.context_path);
  if (!layout) return layout.error();
  if (options.limit_s < 1 || options.limit_s > 3600)
    return Error{Code::invalid, "--limit takes 1 to 3600 seconds"};
  auto const pid = supervisor_of(*layout);
  if (!pid) return pid.error();
  if (!*pid) {
    shell.say(fmt::format("nothing runs in {}; nothing to stop", layout->state.string()));
    return 0;
  }
  Fd const process(pidfd_open(**pid, 0));
  // Asked again now that the pidfd holds the process: a pid that was reused is not the holder.
  auto const still = supervisor_of(*layout);
  if (!still) return still.error();
  if (!process || *still != *pid) {
    shell.say("it has just stopped");
    return 0;
  }
  if (pidfd_send_signal(process.get(), SIGTERM, nullptr, 0) != 0)
    return Error{Code::denied, fmt::format("you may not stop process {}; use the account that ran "
                                           "`lepton up`, or `sudo`",
                                           **pid)};
  pollfd entry{process.get(), POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(options.limit_s * 1000)) <= 0)
    return Error{Code::timeout,
                 fmt::format("it has not stopped within {} s (pid {}); look at {} and run `lepton "
                             "down` again",
                             options.limit_s, **pid, layout->log("lepton").string())};
  shell.say("stopped; nothing is lost, and tasks of this machine keep running. next: lepton up");
  return 0;
}

}  // namespace lepton::cli
