#include "cli/jobs/landing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/folder_path.hpp"
#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::cli {
namespace {

constexpr std::int64_t unsure_bytes = 1 << 20;  // of a part's end: a power cut may have spoilt it
constexpr std::size_t tag_size = 16;

Error failed(std::string const& doing, std::string const& path) {
  auto const code = errno == ENOSPC || errno == EDQUOT ? Code::exhausted : Code::unavailable;
  if (errno == ELOOP || errno == ENOTDIR)
    return {Code::conflict, "cannot " + doing + " " + path + ": a link or a file is in its way"};
  return {code, "cannot " + doing + " " + path + ": " + std::strerror(errno)};
}

timespec time_of(std::int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

std::string tag_of(Arrival const& file) {
  auto const identity = file.origin + "\n" + file.path + "\n" + std::to_string(file.size) + "\n" +
                        std::to_string(file.modified_ns);
  return text::hex(crypto::view(crypto::sha256(identity))).substr(0, tag_size);
}

}  // namespace

Result<Landing> Landing::open(std::string const& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Code::unavailable, "cannot make " + folder + ": " + error.message()};
  Fd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed("open", folder);
  return Landing(std::move(root));
}

void Landing::leave() {
  part_.reset();
  folder_.reset();
}

// Down to the file's folder, which is made on the way.
Status Landing::enter(std::string const& path) {
  leave();
  if (auto good = check_folder_path(path); !good) return good;
  auto parts = text::split(path, '/');
  name_ = std::move(parts.back());
  parts.pop_back();
  folder_ = Fd(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  for (auto const& part : parts) {
    if (::mkdirat(folder_.get(), part.c_str(), 0777) != 0 && errno != EEXIST)
      return failed("make a folder for", path);
    Fd next(::openat(folder_.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return failed("enter a folder of", path);
    folder_ = std::move(next);
  }
  return ok();
}

Result<std::optional<std::int64_t>> Landing::begin(Arrival const& file, bool overwrite) {
  if (auto entered = enter(file.path); !entered) return entered.error();
  file_ = file;
  struct stat info {};
  auto const there = ::fstatat(folder_.get(), name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  auto const modified = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  if (there && S_ISREG(info.st_mode) && info.st_size == file.size && modified == file.modified_ns)
    return std::optional<std::int64_t>();
  if (there && (!overwrite || !S_ISREG(info.st_mode)))
    return Error{Code::conflict, file.path +
                                     " is there already and differs; --overwrite replaces "
                                     "files, or fetch into another folder"};
  part_name_ = ".lepton-" + tag_of(file) + ".part";
  part_ = Fd(
      ::openat(folder_.get(), part_name_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!part_ || ::fstat(part_.get(), &info) != 0) return failed("write", file.path);
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1)
    return Error{Code::conflict, "something is in the way of " + file.path};
  auto const kept = std::max<std::int64_t>(0, std::min(info.st_size, file.size) - unsure_bytes);
  if (::ftruncate(part_.get(), kept) != 0 || ::lseek(part_.get(), kept, SEEK_SET) != kept)
    return failed("write", file.path);
  return std::optional(kept);
}

Status Landing::append(std::string_view data) {
  while (!data.empty()) {
    auto const n = ::write(part_.get(), data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("write", file_.path);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

Status Landing::finish() {
  timespec const times[2] = {time_of(file_.modified_ns), time_of(file_.modified_ns)};
  auto const done =
      ::fchmod(part_.get(), file_.executable ? 0755 : 0644) == 0 && ::fsync(part_.get()) == 0 &&
      ::futimens(part_.get(), times) == 0 &&
      ::renameat(folder_.get(), part_name_.c_str(), folder_.get(), name_.c_str()) == 0;
  auto result = done ? ok() : Status(failed("finish", file_.path));
  leave();
  return result;
}

}  // namespace lepton::cli
