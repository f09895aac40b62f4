#include "services/auditor/log_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/fd.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::auditor {
namespace {

constexpr std::string_view prefix = "lepton-log-key ";
constexpr std::size_t file_bytes_max = 256;

Error failed(std::string const& doing, std::string const& path) {
  return {Code::unavailable, doing + " the log key " + path + " failed: " + std::strerror(errno)};
}

Status check_file(int fd, std::string const& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return failed("reading", path);
  if (!S_ISREG(info.st_mode)) return Error{Code::invalid, "log key " + path + " is no plain file"};
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Error{Code::denied,
                 "log key " + path +
                     " can be read or changed by other users; if nobody did, run 'chmod 600 " +
                     path + "', else the log's signatures prove nothing any more"};
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return Error{Code::denied, "log key " + path + " belongs to another user"};
  return ok();
}

Result<crypto::SigningKey> read_key(std::string const& path) {
  Fd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return Error{Code::not_found, "there is no log key " + path};
  if (!file) return failed("reading", path);
  if (auto good = check_file(file.get(), path); !good) return good.error();
  Secret<std::string> const buffer(std::string(file_bytes_max, '\0'));
  auto* data = const_cast<char*>(buffer.reveal().data());
  auto const got = ::read(file.get(), data, file_bytes_max);
  if (got < 0) return failed("reading", path);
  Error const damaged{Code::invalid, "log key " + path + " is damaged; restore it from a copy"};
  std::string_view text(data, static_cast<std::size_t>(got));
  if (!text.starts_with(prefix) || !text.ends_with('\n')) return damaged;
  text.remove_prefix(prefix.size());
  text.remove_suffix(1);
  auto seed = crypto::from_base64(text);
  if (!seed) return damaged;
  auto key = crypto::SigningKey::from_seed(Secret<std::string>(std::move(*seed)));
  return key ? key : Result<crypto::SigningKey>(damaged);
}

Status write_whole(int fd, std::string_view text, std::string const& path) {
  while (!text.empty()) {
    auto const n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("writing", path);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::fsync(fd) == 0 ? ok() : Status(failed("writing", path));
}

Status sync_folder(std::string const& path) {
  auto const parent = std::filesystem::path(path).parent_path();
  auto const folder = parent.empty() ? std::string(".") : parent.string();
  Fd const file(::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  return file && ::fsync(file.get()) == 0 ? ok() : Status(failed("writing", path));
}

// The file appears whole or not at all; a link, unlike a rename, never replaces what is there.
Status write_key(std::string const& path, crypto::SigningKey const& key) {
  auto const draft = path + "." + std::to_string(::getpid()) + ".new";
  Secret<std::string> const text(std::string(prefix) + crypto::base64(key.seed().reveal()) + "\n");
  Fd const file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed("writing", draft);
  auto written = write_whole(file.get(), text.reveal(), path);
  if (written && ::link(draft.c_str(), path.c_str()) != 0)
    written = errno == EEXIST ? Error{Code::conflict, "log key " + path + " exists"}
                              : failed("writing", path);
  ::unlink(draft.c_str());
  return written ? sync_folder(path) : written;
}

}  // namespace

Result<crypto::SigningKey> read_or_create_log_key(std::string const& path,
                                                  crypto::Entropy& entropy) {
  auto key = read_key(path);
  if (key || key.error().code != Code::not_found) return key;
  auto made = crypto::SigningKey::create(entropy);
  auto const written = write_key(path, made);
  if (written) return made;
  // Another process may have been first; then its key counts.
  if (written.error().code == Code::conflict) return read_key(path);
  return written.error();
}

}  // namespace lepton::auditor
