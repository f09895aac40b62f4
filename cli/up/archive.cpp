#include "cli/up/archive.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/postgres/process.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr TimeMs tar_limit_ms = 3'600'000;

Error failed(std::string const& what, fs::path const& path) {
  return {errno == ENOSPC ? Code::exhausted : (errno == EEXIST ? Code::conflict : Code::internal),
          fmt::format(
              "cannot {} {}: {}", what, path.string(),
              errno == EEXIST ? "it exists already; choose another name" : std::strerror(errno))};
}

Result<std::string> tar(std::vector<std::string> arguments) {
  postgres::Command command;
  command.program = "/usr/bin/tar";
  command.arguments = std::move(arguments);
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  return postgres::run(std::move(command), tar_limit_ms);
}

Status flush(fs::path const& path) {
  Fd const file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file && fchmod(file.get(), 0600) == 0 && fsync(file.get()) == 0) return ok();
  return failed("flush", path);
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make(fs::path const& near) {
  auto name = near.string() + ".XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return failed("make a folder beside", near);
  return ScratchFolder(fs::path(name));
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  if (!path_.empty()) fs::remove_all(path_, error);
}

Status pack(fs::path const& folder, fs::path const& file) {
  auto const scratch = ScratchFolder::make(file);
  if (!scratch) return scratch.error();
  auto const partial = scratch->path() / "archive.tar";
  auto const done = tar({"--create", "--format=posix", "--sort=name", "--numeric-owner",
                         "--file=" + partial.string(), "--directory=" + folder.string(), "."});
  if (!done) return done.error();
  if (auto flushed = flush(partial); !flushed) return flushed;
  // link() refuses an existing name, so that a backup never replaces another file.
  if (link(partial.c_str(), file.c_str()) == 0) return ok();
  return failed("write", file);
}

Status unpack(fs::path const& file, fs::path const& folder) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    return Error{Code::not_found, fmt::format("there is no file {}", file.string())};
  auto const done = tar({"--extract", "--no-same-owner", "--no-same-permissions",
                         "--file=" + file.string(), "--directory=" + folder.string()});
  if (!done)
    return Error{Code::invalid,
                 fmt::format("{} is not a whole backup: {}", file.string(), done.error().what)};
  for (auto const& entry : fs::recursive_directory_iterator(folder, error)) {
    auto const type = entry.symlink_status(error).type();
    if (type != fs::file_type::regular && type != fs::file_type::directory)
      return Error{Code::invalid, fmt::format("{} holds something that no backup holds: {}",
                                              file.string(), entry.path().filename().string())};
  }
  return error ? Status(failed("read", folder)) : ok();
}

}  // namespace lepton::cli
