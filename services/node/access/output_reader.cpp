#include "services/node/access/output_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/base/folder_path.hpp"
#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t chunk_bytes_max = std::size_t{1} << 20;

std::int64_t modified_ns(struct stat const& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Fd open_folder(int at, char const* name) {
  return Fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The output folder of an attempt that has ended, and whose files count.
struct Outputs {
  Fd folder;
  uid_t owner = 0;
};
Result<Outputs> open_outputs(std::string const& state_dir, std::string_view attempt) {
  AttemptFiles const files(state_dir, attempt);
  if (!is_safe_name(attempt) || ::access(files.spec.c_str(), F_OK) != 0)
    return Error{Code::not_found,
                 fmt::format("the outputs of attempt {} are not on its node any more", attempt)};
  auto const status = read_status(files);
  if (!status || !terminal(status->state))
    return Error{Code::conflict,
                 fmt::format("attempt {} has not ended; its outputs still change", attempt)};
  Outputs out{open_folder(AT_FDCWD, files.out.c_str()), 0};
  struct stat info {};
  if (!out.folder || ::fstat(out.folder.get(), &info) != 0)
    return Error{Code::not_found, fmt::format("attempt {} never had an output folder", attempt)};
  out.owner = info.st_uid;
  return out;
}

bool is_shown(struct stat const& info, uid_t owner) {
  return S_ISREG(info.st_mode) && info.st_uid == owner;
}

class Walk {
 public:
  explicit Walk(uid_t owner) : owner_(owner) {}

  Status enter(Fd const& folder, std::string const& path) {
    auto* const stream = ::fdopendir(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
    if (stream == nullptr) return file_error("read", "an output folder", errno);
    std::unique_ptr<DIR, int (*)(DIR*)> const close(stream, ::closedir);
    while (auto const* entry = ::readdir(stream)) {
      std::string const name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++walked_ > OutputReader::walked_max)
        return Error{Code::exhausted, "the output folder has more than 100,000 entries; pack them"};
      if (auto done = take(folder, name, path.empty() ? name : path + "/" + name); !done)
        return done;
    }
    return ok();
  }

  std::vector<OutputFile> files;
  std::uint32_t passed_over = 0;

 private:
  Status take(Fd const& folder, std::string const& name, std::string const& path) {
    struct stat info {};
    auto const seen = ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    auto const named = check_folder_path(path).has_value();
    if (seen && named && S_ISDIR(info.st_mode)) {
      auto const below = open_folder(folder.get(), name.c_str());
      if (below) return enter(below, path);
    }
    if (seen && named && is_shown(info, owner_))
      files.push_back({path, info.st_size, modified_ns(info), (info.st_mode & S_IXUSR) != 0});
    else
      ++passed_over;
    return ok();
  }

  uid_t owner_;
  std::size_t walked_ = 0;
};

// Component by component, so that no link on the way is followed.
Result<Fd> open_file(Outputs const& out, std::string const& path) {
  auto const parts = text::split(path, '/');
  Fd folder(::fcntl(out.folder.get(), F_DUPFD_CLOEXEC, 0));
  for (std::size_t i = 0; i + 1 < parts.size() && folder; ++i)
    folder = open_folder(folder.get(), parts[i].c_str());
  if (!folder) return Error{Code::not_found, "there is no output " + path};
  Fd file(
      ::openat(folder.get(), parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return Error{Code::not_found, "there is no output " + path};
  return file;
}

}  // namespace

Result<OutputPage> OutputReader::list(std::string_view attempt, std::string const& after) const {
  auto const out = open_outputs(state_dir_, attempt);
  if (!out) return out.error();
  Walk walk(out->owner);
  if (auto done = walk.enter(out->folder, ""); !done) return done.error();
  std::sort(walk.files.begin(), walk.files.end(),
            [](auto const& a, auto const& b) { return a.path < b.path; });
  OutputPage page{AttemptId{std::string(attempt)}, {}, true, walk.passed_over};
  for (auto& file : walk.files) {
    if (!after.empty() && file.path <= after) continue;
    page.complete = page.files.size() < page_files;
    if (!page.complete) break;
    page.files.push_back(std::move(file));
  }
  return page;
}

Result<OutputChunk> OutputReader::read(std::string_view attempt, std::string const& path,
                                       std::int64_t offset, std::size_t limit) const {
  if (auto good = check_folder_path(path); !good) return good.error();
  if (offset < 0) return Error{Code::invalid, "a file has no negative offset"};
  auto const out = open_outputs(state_dir_, attempt);
  if (!out) return out.error();
  auto const file = open_file(*out, path);
  if (!file) return file.error();
  struct stat info {};
  if (::fstat(file->get(), &info) != 0 || !is_shown(info, out->owner))
    return Error{Code::denied, "output " + path + " is no plain file of the task's user"};
  OutputChunk chunk{{}, {}, info.st_size, modified_ns(info)};
  chunk.data.data.resize(std::min(limit, chunk_bytes_max));
  auto const n = ::pread(file->get(), chunk.data.data.data(), chunk.data.data.size(), offset);
  if (n < 0) return file_error("read", "output " + path, errno);
  chunk.data.data.resize(static_cast<std::size_t>(n));
  chunk.hash.data = crypto::view(crypto::sha256(chunk.data.data));
  return chunk;
}

}  // namespace lepton::node
