#pragma once
// FolderStore: chunks of working folders that this machine has fetched, and the folders built of
// them. Every chunk is hashed when it comes and again when it is used: a file that has changed
// since is fetched anew. Blocking; one call at a time.
//
//   STATE/chunks/HASH       what hashes to that name; the longest unused go at the limit
//   STATE/folders/ATTEMPT   a folder on its way to its attempt; root's alone until then
//
// Paths are checked before the first file is made, files are only ever created new, and no link is
// followed: nobody else can write where a folder is built.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/workdir.hpp"

namespace lepton::node {

struct FolderStoreOptions {
  std::string state_dir;  // absolute; made when absent
  std::int64_t cached_bytes_max = std::int64_t{4} << 30;
};

class FolderStore {
 public:
  // Removes folders that an earlier life of the node left half built.
  static Result<FolderStore> open(FolderStoreOptions options);

  // Places of the chunks that must be fetched; each hash once.
  std::vector<std::uint32_t> missing(FolderManifest const& folder) const;
  // `invalid`: the data is not what the hash names.
  Status keep(FolderChunk const& chunk, std::string_view data);
  // Its path. `not_found`: a chunk has gone or changed meanwhile (it is forgotten: ask `missing`
  // again). Nothing is left on an error.
  Result<std::string> build(std::string_view attempt, FolderManifest const& folder);
  Status drop(std::string_view attempt);  // one that no runner has taken

 private:
  explicit FolderStore(FolderStoreOptions options) : options_(std::move(options)) {}
  std::string chunk_path(std::string_view hash) const;
  Result<std::string> read_chunk(FolderChunk const& chunk);
  Status fill(std::string const& place, FolderManifest const& folder);
  void trim();

  FolderStoreOptions options_;
};

}  // namespace lepton::node
