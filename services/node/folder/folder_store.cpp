#include "services/node/folder/folder_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <set>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/folder_check.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {
namespace {

namespace fs = std::filesystem;

bool is_named(FolderChunk const& chunk, std::string_view data) {
  if (planted("chunk_unverified")) return true;
  return data.size() == chunk.size && crypto::view(crypto::sha256(data)) == chunk.hash.data;
}

Status make_parents(std::string const& place, std::string const& path) {
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    auto const folder = place + "/" + path.substr(0, slash);
    if (auto made = make_folder(folder, 0700); !made) return made;
  }
  return ok();
}

Result<Fd> make_file(std::string const& path, bool executable) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 executable ? 0700 : 0600));
  if (!file) return file_error("create", path, errno);
  return file;
}

// The contents of all files end to end, chunk by chunk.
class Content {
 public:
  using Read = std::function<Result<std::string>(FolderChunk const&)>;
  Content(FolderManifest const& folder, Read read) : folder_(folder), read_(std::move(read)) {}

  Status copy(Fd const& file, std::int64_t size, std::string const& path) {
    while (size > 0) {
      if (at_ == data_.size()) {
        auto more = read_(folder_.chunks.at(next_++));
        if (!more) return more.error();
        data_ = std::move(*more);
        at_ = 0;
      }
      auto const n = std::min<std::size_t>(data_.size() - at_, static_cast<std::size_t>(size));
      if (auto put = write_all(file.get(), std::string_view(data_).substr(at_, n), path); !put)
        return put;
      at_ += n;
      size -= static_cast<std::int64_t>(n);
    }
    return ok();
  }

 private:
  FolderManifest const& folder_;
  Read read_;
  std::string data_;
  std::size_t at_ = 0, next_ = 0;
};

}  // namespace

Result<FolderStore> FolderStore::open(FolderStoreOptions options) {
  std::error_code error;
  fs::create_directories(options.state_dir, error);
  if (error) return file_error("create", options.state_dir, error.value());
  if (auto gone = remove_tree(options.state_dir + "/folders"); !gone) return gone.error();
  for (auto const* name : {"/folders", "/chunks"})
    if (auto made = make_folder(options.state_dir + name, 0700); !made) return made.error();
  return FolderStore(std::move(options));
}

std::string FolderStore::chunk_path(std::string_view hash) const {
  return options_.state_dir + "/chunks/" + text::hex(hash);
}

std::vector<std::uint32_t> FolderStore::missing(FolderManifest const& folder) const {
  std::vector<std::uint32_t> places;
  std::set<std::string_view> seen;
  for (std::uint32_t i = 0; i < folder.chunks.size(); ++i) {
    auto const& hash = folder.chunks[i].hash.data;
    if (seen.insert(hash).second && ::access(chunk_path(hash).c_str(), F_OK) != 0)
      places.push_back(i);
  }
  return places;
}

Status FolderStore::keep(FolderChunk const& chunk, std::string_view data) {
  if (!is_named(chunk, data))
    return Error{Code::invalid,
                 fmt::format("a chunk of the working folder is not what its name says ({}): it was "
                             "changed where it is kept",
                             text::hex(chunk.hash.data))};
  return replace_file(chunk_path(chunk.hash.data), data, Durable::no);
}

Result<std::string> FolderStore::read_chunk(FolderChunk const& chunk) {
  auto const path = chunk_path(chunk.hash.data);
  auto data = read_file(path, folder_chunk_bytes_max);
  if (data && is_named(chunk, *data)) {
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used just now
    return data;
  }
  ::unlink(path.c_str());
  return Error{Code::not_found, "a fetched chunk of the working folder has changed on this disk"};
}

Status FolderStore::fill(std::string const& place, FolderManifest const& folder) {
  Content content(folder, [this](FolderChunk const& chunk) { return read_chunk(chunk); });
  for (auto const& file : folder.files) {
    auto const path = place + "/" + file.path;
    if (auto made = make_parents(place, file.path); !made) return made;
    if (!file.link.empty()) {
      if (::symlink(file.link.c_str(), path.c_str()) != 0) return file_error("link", path, errno);
      continue;
    }
    auto const made = make_file(path, file.executable);
    if (!made) return made.error();
    if (auto copied = content.copy(*made, file.size, path); !copied) return copied;
  }
  return ok();
}

Result<std::string> FolderStore::build(std::string_view attempt, FolderManifest const& folder) {
  if (!is_safe_name(attempt)) return Error{Code::invalid, "no name of an attempt"};
  if (auto good = check_folder(folder); !good)
    return Error{Code::invalid, "the manifest of the working folder: " + good.error().what};
  auto const place = fmt::format("{}/folders/{}", options_.state_dir, attempt);
  auto done = remove_tree(place);
  if (done) done = make_folder(place, 0700);
  if (done) done = fill(place, folder);
  trim();
  if (done) return place;
  (void)remove_tree(place);
  return done.error();
}

Status FolderStore::drop(std::string_view attempt) {
  if (!is_safe_name(attempt)) return ok();
  return remove_tree(fmt::format("{}/folders/{}", options_.state_dir, attempt));
}

// What was used last stays.
void FolderStore::trim() {
  struct Cached {
    fs::file_time_type used;
    std::int64_t size;
    fs::path path;
  };
  std::vector<Cached> all;
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(options_.state_dir + "/chunks", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    auto const size = static_cast<std::int64_t>(at->file_size(gone));
    auto const used = at->last_write_time(gone);
    if (gone) continue;
    all.push_back({used, size, at->path()});
    bytes += size;
  }
  if (bytes <= options_.cached_bytes_max) return;
  std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.used < b.used; });
  for (auto const& one : all) {
    if (bytes <= options_.cached_bytes_max) return;
    if (fs::remove(one.path, error)) bytes -= one.size;
  }
}

}  // namespace lepton::node
