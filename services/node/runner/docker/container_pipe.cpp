#include "services/node/runner/docker/container_pipe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lepton::node {
namespace {

constexpr int pipe_bytes = 1 << 20;  // what a process without special rights may ask for

Result<Fd> open_one(std::string const& path) {
  Fd end(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!end) return file_error("open", path, errno);
  return end;
}

Result<Fd> make_one(std::string const& path, mode_t mode, uid_t uid, gid_t gid) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), mode) != 0 || ::chmod(path.c_str(), mode) != 0)
    return file_error("create", path, errno);
  if (::geteuid() == 0 && ::chown(path.c_str(), uid, gid) != 0)
    return file_error("give to the task's user", path, errno);
  return open_one(path);
}

}  // namespace

std::string environment_frame(std::vector<std::string> const& lines,
                              std::vector<std::string> const& secrets) {
  std::string entries;
  for (auto const& line : lines) {
    auto const name = line.substr(0, line.find('='));
    entries += std::find(secrets.begin(), secrets.end(), name) == secrets.end() ? 'e' : 's';
    entries += line;
    entries += '\0';
  }
  return fmt::format("{:010}\n", entries.size()) + entries;
}

Result<ContainerPipes> ContainerPipes::make(std::string const& folder, uid_t uid, gid_t gid) {
  ContainerPipes pipes;
  pipes.folder = folder;
  if (auto made = make_folder(folder, 0711); !made) return made.error();
  // Owners need both rights where the same user runs both ends.
  auto env = make_one(folder + "/env", 0600, uid, gid);
  if (!env) return env.error();
  auto log = make_one(folder + "/log", 0600, uid, gid);
  if (!log) return log.error();
  if (::fcntl(env->get(), F_SETPIPE_SZ, pipe_bytes) < pipe_bytes)
    return file_error("enlarge", folder + "/env", errno);
  pipes.env = std::move(*env);
  pipes.log = std::move(*log);
  return pipes;
}

Result<ContainerPipes> ContainerPipes::found(std::string const& folder) {
  auto log = open_one(folder + "/log");
  if (!log) return log.error();
  return ContainerPipes{folder, Fd(), std::move(*log)};
}

bool waits_for_environment(std::string const& folder) {
  return ::access((folder + "/env").c_str(), F_OK) == 0;
}

bool ContainerPipes::is_read() {
  if (!env) return true;
  int left = 0;
  if (::ioctl(env.get(), FIONREAD, &left) != 0 || left > 0) return false;
  ::unlink((folder + "/env").c_str());
  env.reset();
  return true;
}

Status ContainerPipes::fill(std::string const& frame) {
  if (frame.size() > static_cast<std::size_t>(pipe_bytes))
    return Error{Code::exhausted,
                 "the environment is larger than 1 MiB; pass large values as files"};
  return write_all(env.get(), frame, folder + "/env");
}

}  // namespace lepton::node
