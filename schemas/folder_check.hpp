#pragma once
// What a folder's manifest may say. Checked by who sends it, who keeps it and who unpacks it: each
// trusts none of the others. Pure.

#include <set>
#include <string>
#include <string_view>

#include "common/base/folder_path.hpp"
#include "schemas/workdir.hpp"

namespace lepton {

inline constexpr std::size_t folder_files_max = 20'000;
inline constexpr std::size_t folder_chunks_max = 16'384;
inline constexpr std::int64_t folder_bytes_max = std::int64_t{512} << 20;
inline constexpr std::size_t folder_manifest_bytes_max = std::size_t{2} << 20;
inline constexpr std::uint32_t folder_chunk_bytes_max = std::uint32_t{1} << 20;
inline constexpr std::size_t folder_hash_bytes = 32;

namespace detail {

// A path whose folder is a file or a link could lead anywhere once that is unpacked.
inline Status check_folder_parents(std::string const& path, std::set<std::string_view> const& all) {
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
    if (all.contains(std::string_view(path).substr(0, slash)))
      return Error{Code::invalid, "'" + path + "' lies below a path that is no folder"};
  return ok();
}

inline Status check_folder_file(FolderFile const& file) {
  if (auto good = check_folder_path(file.path); !good) return good;
  if (file.size < 0 || file.size > folder_bytes_max)
    return Error{Code::invalid, "'" + file.path + "' is larger than 512 MiB"};
  if (file.link.empty()) return ok();
  if (file.size != 0) return Error{Code::invalid, "'" + file.path + "' is a link with a size"};
  return check_folder_link(file.path, file.link);
}

}  // namespace detail

// Paths rise, none lies below another, links stay inside, sizes fit the chunks. `exhausted`: it is
// too large; `invalid`: it means nothing.
inline Status check_folder(FolderManifest const& folder) {
  if (folder.files.size() > folder_files_max)
    return Error{Code::exhausted, "the folder has more than 20,000 files"};
  if (folder.chunks.size() > folder_chunks_max)
    return Error{Code::exhausted, "the folder has more than 16,384 chunks"};
  std::set<std::string_view> paths;
  std::int64_t bytes = 0, chunk_bytes = 0;
  for (auto const& file : folder.files) {
    if (auto good = detail::check_folder_file(file); !good) return good;
    if (!paths.empty() && *paths.rbegin() >= file.path)
      return Error{Code::invalid, "'" + file.path + "' is out of order"};
    paths.insert(file.path);
    bytes += file.size;
    if (bytes > folder_bytes_max)
      return Error{Code::exhausted, "the folder is larger than 512 MiB"};
  }
  for (auto const& file : folder.files)
    if (auto good = detail::check_folder_parents(file.path, paths); !good) return good;
  for (auto const& chunk : folder.chunks) {
    if (chunk.hash.data.size() != folder_hash_bytes || chunk.size == 0 ||
        chunk.size > folder_chunk_bytes_max)
      return Error{Code::invalid, "a chunk has no SHA-256, or a size outside 1 to 1,048,576"};
    chunk_bytes += chunk.size;
  }
  if (chunk_bytes != bytes) return Error{Code::invalid, "the chunks do not add up to the files"};
  return ok();
}

}  // namespace lepton
