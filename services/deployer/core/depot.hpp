#pragma once
// Depot: the book of the working folders that people have sent: who owns which chunks and folders,
// how much of their allowance that is, and what may go. The contents are rows that only their hash
// leads to; they are never in memory. Pure; one thread. Names are SHA-256 in hexadecimal; times are
// wall clock ms; sizes bytes.
//
// Everything is by owner: a hash of another's chunk opens nothing, and does not even tell that the
// chunk exists.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::deployer {

struct DepotLimits {
  std::int64_t owner_bytes_max = std::int64_t{2} << 30;
  std::int64_t bytes_max = std::int64_t{20} << 30;
  std::size_t owner_chunks_max = 50'000;
  std::size_t owner_folders_max = 200;
  std::int64_t loose_for_ms = 24 * 3'600'000;       // a chunk that no folder names
  std::int64_t unused_for_ms = 7 * 24 * 3'600'000;  // a folder after its last use
};

struct ChunkName {
  std::string owner, hash;
  auto operator<=>(ChunkName const&) const = default;
};
struct FolderName {
  std::string owner, folder;
  auto operator<=>(FolderName const&) const = default;
};

class Depot {
 public:
  explicit Depot(DepotLimits limits = {}) : limits_(limits) {}

  struct Folder {
    std::vector<std::string> chunks;  // in the order of its content
    std::int64_t used_at_ms = 0;
    std::int64_t size = 0;  // of its files
  };

  // From rows, before anything else: chunks first.
  void restore_chunk(ChunkName const& name, std::int64_t size, std::int64_t stored_at_ms);
  void restore_folder(FolderName const& name, Folder folder);

  // Whether it is here; it is not forgotten for a while then.
  bool touch_chunk(ChunkName const& name, std::int64_t now_ms);
  std::optional<std::int64_t> chunk_size(ChunkName const& name) const;
  struct NewChunk {
    std::string hash;
    std::int64_t size = 0;
  };
  // All or none; which of them were not here already. `exhausted`: beyond the owner's allowance or
  // the installation's.
  Result<std::vector<bool>> add_chunks(std::string const& owner,
                                       std::vector<NewChunk> const& chunks, std::int64_t now_ms);
  // With its manifest, a chunk of that size under the folder's own name. `conflict`: a chunk is not
  // here. Fine when the folder is here already.
  Status add_folder(FolderName const& name, Folder folder, std::int64_t manifest_bytes);
  Folder const* find_folder(FolderName const& name) const;
  bool use_folder(FolderName const& name, std::int64_t now_ms);  // false: it is not here

  struct Outlived {
    std::vector<ChunkName> chunks;
    std::vector<FolderName> folders;
  };
  // Takes out what nobody wants any more, at most `most` folders and as many chunks.
  Outlived collect(std::set<FolderName> const& in_use, std::int64_t now_ms, std::size_t most);
  // Takes out the owner's folders, the longest unused first, until `wanted` more bytes fit into
  // the owner's allowance or nothing can go.
  Outlived make_room(std::string const& owner, std::int64_t wanted,
                     std::set<FolderName> const& in_use);

  std::int64_t bytes() const { return bytes_; }
  std::int64_t bytes_of(std::string const& owner) const;
  // Counts anew what the totals and references must agree with.
  bool is_consistent() const;

 private:
  Status check_room(std::string const& owner, std::size_t chunks, std::int64_t size) const;
  struct Chunk {
    std::int64_t size = 0;
    std::int64_t touched_at_ms = 0;
    std::uint64_t references = 0;
  };
  struct Owner {
    std::map<std::string, Chunk> chunks;
    std::map<std::string, Folder> folders;
    std::int64_t bytes = 0;
  };
  static std::vector<std::string> named_by(std::string const& name, Folder const& folder);
  void refer(Owner& owner, std::string const& name, Folder const& folder, bool more);
  void drop_folder(FolderName const& name, Outlived& gone);
  void drop_chunk(ChunkName const& name, Outlived& gone);
  void drop_owner_if_empty(std::string const& name);

  DepotLimits limits_;
  std::map<std::string, Owner> owners_;
  std::int64_t bytes_ = 0;
};

}  // namespace lepton::deployer
