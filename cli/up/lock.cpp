#include "cli/up/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace lepton::cli {
namespace {

struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

Error cannot(char const* what, std::filesystem::path const& path) {
  return {errno == EACCES ? Code::denied : Code::internal,
          fmt::format("cannot {} {}: {}{}", what, path.string(), std::strerror(errno),
                      errno == EACCES ? "; use the account that ran `lepton up`" : "")};
}

Result<std::optional<pid_t>> holder(Fd const& file, std::filesystem::path const& path) {
  auto range = whole_file();
  if (fcntl(file.get(), F_GETLK, &range) != 0) return cannot("look at the lock", path);
  if (range.l_type == F_UNLCK) return std::optional<pid_t>();
  return std::optional<pid_t>(range.l_pid);
}

}  // namespace

Result<StateLock> StateLock::take(Layout const& layout) {
  auto const path = layout.lock();
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return cannot("open", path);
  auto range = whole_file();
  if (fcntl(file.get(), F_SETLK, &range) != 0) {
    if (errno != EACCES && errno != EAGAIN) return cannot("lock", path);
    auto const pid = holder(file, path);
    auto const who = pid && *pid ? fmt::format("pid {}", **pid) : std::string("ending just now");
    return Error{Code::conflict,
                 fmt::format("the control plane in {} is running already ({}); look at it with "
                             "`lepton status`, or stop it with `lepton down`",
                             layout.state.string(), who)};
  }
  auto const text = fmt::format("{}\n", getpid());
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return Error{errno == ENOSPC ? Code::exhausted : Code::internal,
                 fmt::format("cannot write {}: {}; free some disk space", path.string(),
                             std::strerror(errno))};
  return StateLock(std::move(file));
}

Result<std::optional<pid_t>> supervisor_of(Layout const& layout) {
  auto const path = layout.lock();
  Fd const file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::optional<pid_t>();
  if (!file) return cannot("open", path);
  return holder(file, path);
}

}  // namespace lepton::cli
