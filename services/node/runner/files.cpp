#include "services/node/runner/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

Code code_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return Code::exhausted;
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case EEXIST:
      return Code::conflict;
    default:
      return Code::unavailable;
  }
}

std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

void sync_folder(std::string const& path) {
  Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
}

// Writes `path`.new.<pid>; the caller moves it into place.
Result<std::string> write_aside(std::string const& path, std::string_view text,
                                Durable durable = Durable::yes) {
  auto aside = fmt::format("{}.new.{}", path, ::getpid());
  Fd file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return file_error("write", aside, errno);
  auto written = write_all(file.get(), text, aside);
  if (written && durable == Durable::yes && ::fsync(file.get()) != 0)
    written = file_error("write", aside, errno);
  if (!written) {
    ::unlink(aside.c_str());
    return written.error();
  }
  return aside;
}

Status fill_reserve(std::string const& reserve, std::size_t size, std::string_view text) {
  if (text.size() > size) return Error{Code::internal, "the text is larger than its reserve"};
  Fd file(::open(reserve.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return file_error("write", reserve, errno);
  auto padded = std::string(text);
  padded.resize(size, '\n');
  auto written = write_all(file.get(), padded, reserve);
  if (written && ::fsync(file.get()) != 0) return file_error("write", reserve, errno);
  return written;
}

}  // namespace

Error file_error(std::string_view doing, std::string_view path, int error) {
  auto what = fmt::format("cannot {} {}: {}", doing, path, std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) what += "; free some disk space and try again";
  return {code_of(error), std::move(what)};
}

Result<std::string> read_file(std::string const& path, std::size_t size_max) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return file_error("read", path, errno);
  std::string text;
  char part[16384];
  for (;;) {
    auto const n = ::read(file.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("read", path, errno);
    if (n == 0) return text;
    text.append(part, static_cast<std::size_t>(n));
    if (text.size() > size_max)
      return Error{Code::exhausted, fmt::format("{} is larger than {} bytes", path, size_max)};
  }
}

Status write_all(int fd, std::string_view text, std::string_view path) {
  while (!text.empty()) {
    auto const n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

Status replace_file(std::string const& path, std::string_view text, Durable durable) {
  auto const aside = write_aside(path, text, durable);
  if (!aside) return aside.error();
  if (::rename(aside->c_str(), path.c_str()) != 0) {
    auto error = file_error("replace", path, errno);
    ::unlink(aside->c_str());
    return error;
  }
  if (durable == Durable::yes) sync_folder(path);
  return ok();
}

Status create_file_once(std::string const& path, std::string_view text) {
  auto const aside = write_aside(path, text);
  if (!aside) return aside.error();
  auto const linked = ::link(aside->c_str(), path.c_str());
  auto const error = errno;
  ::unlink(aside->c_str());
  if (linked != 0) return file_error("create", path, error);
  sync_folder(path);
  return ok();
}

Status reserve_file(std::string const& reserve, std::size_t size) {
  Fd file(::open(reserve.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return file_error("create", reserve, errno);
  // Written rather than allocated: some file systems promise blocks that they do not have.
  return write_all(file.get(), std::string(size, '\n'), reserve);
}

Status spend_reserve(std::string const& reserve, std::size_t size, std::string const& path,
                     std::string_view text) {
  if (auto filled = fill_reserve(reserve, size, text); !filled) return filled;
  if (::rename(reserve.c_str(), path.c_str()) != 0) return file_error("replace", path, errno);
  sync_folder(path);
  return ok();
}

Status spend_reserve_once(std::string const& reserve, std::size_t size, std::string const& path,
                          std::string_view text) {
  if (auto filled = fill_reserve(reserve, size, text); !filled) return filled;
  if (::link(reserve.c_str(), path.c_str()) != 0) return file_error("create", path, errno);
  ::unlink(reserve.c_str());
  sync_folder(path);
  return ok();
}

Status make_folder(std::string const& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return file_error("set the mode of", path, errno);
    return ok();
  }
  if (errno != EEXIST) return file_error("create", path, errno);
  return ok();
}

Status remove_tree(std::string const& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return file_error("remove", path, error.value());
  return ok();
}

Status give_tree(std::string const& path, unsigned uid, unsigned gid) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(path, error), end;
  for (; !error && at != end; at.increment(error))
    if (::lchown(at->path().c_str(), uid, gid) != 0)
      return file_error("give to the task's user", at->path().string(), errno);
  if (error) return file_error("read", path, error.value());
  if (::lchown(path.c_str(), uid, gid) != 0)
    return file_error("give to the task's user", path, errno);
  return ok();
}

std::string boot_id() {
  auto const id = read_file("/proc/sys/kernel/random/boot_id", 256);
  return id ? std::string(text::trim(*id)) : "";
}

}  // namespace lepton::node
