#include "cli/workdir/scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "cli/workdir/chunker.hpp"
#include "cli/workdir/ignore.hpp"
#include "common/base/fd.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/folder_check.hpp"

namespace lepton::cli {
namespace {

Error failed(std::string const& doing, std::string const& path) {
  auto const code = errno == ENOENT || errno == ENOTDIR ? Code::not_found : Code::unavailable;
  return {code, "workdir: cannot " + doing + " " + path + ": " + std::strerror(errno)};
}

std::string joined(std::string const& folder, std::string const& name) {
  return folder.empty() ? name : folder + "/" + name;
}

// Walks down; folders and names in the order of their octets, so that two walks are the same.
class Walk {
 public:
  explicit Walk(std::string root) : root_(std::move(root)) {}

  Result<FolderManifest> run() {
    Fd const top(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) return failed("open the folder", root_);
    if (auto done = enter(top.get(), ""); !done) return done.error();
    std::sort(found_.files.begin(), found_.files.end(),
              [](auto const& a, auto const& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  Status enter(int fd, std::string const& folder) {
    if (std::count(folder.begin(), folder.end(), '/') >= static_cast<long>(folder_depth_max))
      return Error{Code::invalid, "workdir: '" + folder + "' is deeper than 32 folders"};
    if (auto read = read_rules(fd, folder); !read) return read;
    auto names = names_in(fd, folder);
    if (!names) return names.error();
    std::sort(names->begin(), names->end());
    for (auto const& name : *names)
      if (auto done = take(fd, folder, name); !done) return done;
    return ok();
  }

  Result<std::vector<std::string>> names_in(int fd, std::string const& folder) const {
    auto* const stream = ::fdopendir(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (stream == nullptr) return failed("read the folder", root_ + "/" + folder);
    std::unique_ptr<DIR, int (*)(DIR*)> const close(stream, ::closedir);
    std::vector<std::string> names;
    while (auto const* entry = ::readdir(stream)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
      if (names.size() > names_max)
        return Error{Code::exhausted, "workdir: '" + folder + "' has more than 200,000 entries"};
    }
    return names;
  }

  Status read_rules(int fd, std::string const& folder) {
    for (auto const* name : {".leptonignore", ".gitignore"}) {
      Fd const file(::openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
      if (!file && errno == ENOENT) continue;
      if (!file) return failed("read", joined(folder, name));
      std::string text(ignore_bytes_max + 1, '\0');
      auto const n = ::read(file.get(), text.data(), text.size());
      if (n < 0) return failed("read", joined(folder, name));
      auto const added = rules_.add(folder, std::string_view(text).substr(0, std::size_t(n)));
      if (!added)
        return Error{Code::invalid, "workdir: " + joined(folder, name) + " " + added.error().what};
      return ok();
    }
    return ok();
  }

  Status take(int fd, std::string const& folder, std::string const& name) {
    auto const path = joined(folder, name);
    struct stat info {};
    if (::fstatat(fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return failed("look at", path);
    if (!rules_.takes(path, S_ISDIR(info.st_mode))) return ok();
    if (S_ISDIR(info.st_mode)) {
      Fd const below(::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below) return failed("open the folder", path);
      return enter(below.get(), path);
    }
    FolderFile file{path, 0, (info.st_mode & S_IXUSR) != 0, ""};
    if (S_ISLNK(info.st_mode)) {
      char target[folder_path_bytes_max + 1];
      auto const n = ::readlinkat(fd, name.c_str(), target, sizeof target);
      if (n < 0) return failed("read the link", path);
      file.link.assign(target, std::size_t(n));
      file.executable = false;
    } else if (S_ISREG(info.st_mode)) {
      file.size = info.st_size;
    } else {
      return Error{Code::invalid, "workdir: '" + path +
                                      "' is neither file, folder nor link; name "
                                      "it in .leptonignore"};
    }
    return add(std::move(file));
  }

  Status add(FolderFile file) {
    auto const good = lepton::detail::check_folder_file(file);
    if (!good)
      return Error{good.error().code,
                   "workdir: " + good.error().what + "; rename it or name it in .leptonignore"};
    bytes_ += file.size;
    if (bytes_ > folder_bytes_max || found_.files.size() >= folder_files_max)
      return Error{Code::exhausted,
                   "workdir: " + root_ +
                       " is more than 512 MiB or 20,000 files; name what the job "
                       "does not need in .leptonignore, and put data where the nodes can read it"};
    found_.files.push_back(std::move(file));
    return ok();
  }

  static constexpr std::size_t names_max = 200'000;
  std::string root_;
  IgnoreRules rules_;
  FolderManifest found_;
  std::int64_t bytes_ = 0;
};

// The contents end to end.
class Reader {
 public:
  Reader(std::string const& root, FolderManifest& folder, bool sizes_are_known)
      : root_(root), folder_(folder), sizes_are_known_(sizes_are_known) {}

  // Until `data` has so many octets or nothing is left.
  Status fill(std::string& data, std::size_t wanted) {
    while (data.size() < wanted && at_ < folder_.files.size()) {
      auto& file = folder_.files[at_];
      if (!file.link.empty()) {
        ++at_;
        continue;
      }
      if (auto read = read_some(file, data, wanted); !read) return read;
    }
    return ok();
  }

 private:
  Status read_some(FolderFile& file, std::string& data, std::size_t wanted) {
    if (!open_) {
      open_.emplace(::open((root_ + "/" + file.path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!*open_) return failed("read", file.path);
      done_ = 0;
    }
    auto const before = data.size();
    auto most = wanted - before;
    if (sizes_are_known_) most = std::min<std::size_t>(most, std::size_t(file.size - done_));
    data.resize(before + most);
    auto const n = ::read(open_->get(), data.data() + before, most);
    data.resize(before + std::size_t(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno != EINTR) return failed("read", file.path);
    if (n > 0) done_ += n;
    if (n != 0) return ok();
    if (sizes_are_known_ && done_ != file.size)
      return Error{Code::conflict, "workdir: " + file.path + " has changed while it was sent"};
    file.size = done_;
    open_.reset();
    ++at_;
    return ok();
  }

  std::string const& root_;
  FolderManifest& folder_;
  bool sizes_are_known_;
  std::size_t at_ = 0;
  std::optional<Fd> open_;
  std::int64_t done_ = 0;
};

}  // namespace

Result<FolderManifest> list_folder(std::string const& root) {
  return Walk(root).run();
}

Status cut_folder(std::string const& root, FolderManifest& folder) {
  Reader reader(root, folder, false);
  std::string data;
  std::int64_t bytes = 0;
  for (;;) {
    if (auto read = reader.fill(data, chunk_bytes_max); !read) return read;
    if (data.empty()) return check_folder(folder);
    auto const size = first_chunk(data);
    auto const hash = crypto::sha256(std::string_view(data).substr(0, size));
    auto& chunk = folder.chunks.emplace_back();
    chunk.hash.data = crypto::view(hash);
    chunk.size = static_cast<std::uint32_t>(size);
    data.erase(0, size);
    bytes += static_cast<std::int64_t>(size);
    if (bytes > folder_bytes_max)
      return Error{Code::exhausted, "workdir: " + root + " has grown beyond 512 MiB"};
  }
}

Status read_chunks(std::string const& root, FolderManifest const& folder,
                   std::vector<std::uint32_t> const& wanted, TakeChunk const& take) {
  auto copy = folder;
  Reader reader(root, copy, true);
  std::string data;
  std::size_t next = 0;
  for (std::size_t place = 0; place < folder.chunks.size() && next < wanted.size(); ++place) {
    auto const& chunk = folder.chunks[place];
    if (auto read = reader.fill(data, chunk.size); !read) return read;
    if (place == wanted[next]) {
      ++next;
      auto piece = data.substr(0, chunk.size);
      if (crypto::view(crypto::sha256(piece)) != chunk.hash.data)
        return Error{Code::conflict, "workdir: " + root + " has changed while it was sent"};
      if (auto taken = take(place, std::move(piece)); !taken) return taken;
    }
    data.erase(0, std::min<std::size_t>(data.size(), chunk.size));
  }
  return ok();
}

}  // namespace lepton::cli
