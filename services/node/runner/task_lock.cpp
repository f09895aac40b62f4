#include "services/node/runner/task_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

constexpr int tries_max = 100;

// The file may have been unlinked between open and flock; then the lock protects nothing.
bool is_current(int fd, std::string const& path) {
  struct stat mine {
  }, named{};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &named) == 0 &&
         mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

}  // namespace

Result<std::optional<TaskLock>> TaskLock::try_take(std::string const& path) {
  for (int i = 0; i < tries_max; ++i) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return file_error("open the lock", path, errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::optional<TaskLock>{};
      if (errno == EINTR) continue;
      return file_error("lock", path, errno);
    }
    if (is_current(fd.get(), path)) return std::optional<TaskLock>{TaskLock(std::move(fd), path)};
  }
  return Error{Code::unavailable, "the lock " + path + " is replaced faster than it can be taken"};
}

std::string TaskLock::holder(std::string const& path) {
  auto const name = read_file(path, 256);
  return name ? std::string(text::trim(name->substr(0, name->find('\n')))) : "";
}

Status TaskLock::set_holder(std::string_view attempt) {
  // Overwritten in place: replacing the file would drop the lock. The new name first and the rest
  // of the old one afterwards: an empty file would say that nothing is left.
  auto const line = attempt.empty() ? std::string() : std::string(attempt) + "\n";
  if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return file_error("write", path_, errno);
  if (auto written = write_all(fd_.get(), line, path_); !written) return written;
  auto const cut = ::ftruncate(fd_.get(), static_cast<off_t>(line.size())) == 0;
  if (!cut || (!line.empty() && ::fsync(fd_.get()) != 0)) return file_error("write", path_, errno);
  return ok();
}

Status TaskLock::clear_holder(std::string_view attempt) {
  return holder(path_) == attempt ? set_holder("") : ok();
}

Status TaskLock::unlink() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return file_error("remove", path_, errno);
  return ok();
}

}  // namespace lepton::node
