#include "services/deployer/core/depot.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace lepton::deployer {
namespace {

std::string mib(std::int64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

}  // namespace

// Each once, however often the content repeats; the manifest too.
std::vector<std::string> Depot::named_by(std::string const& name, Folder const& folder) {
  auto all = folder.chunks;
  all.push_back(name);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void Depot::refer(Owner& owner, std::string const& name, Folder const& folder, bool more) {
  for (auto const& hash : named_by(name, folder)) {
    auto& chunk = owner.chunks.at(hash);
    LEPTON_CHECK(more || chunk.references > 0, "a chunk is released that no folder names");
    chunk.references += more ? 1 : std::uint64_t(-1);
  }
}

void Depot::restore_chunk(ChunkName const& name, std::int64_t size, std::int64_t stored_at_ms) {
  auto& owner = owners_[name.owner];
  if (!owner.chunks.emplace(name.hash, Chunk{size, stored_at_ms, 0}).second) return;
  owner.bytes += size;
  bytes_ += size;
}

void Depot::restore_folder(FolderName const& name, Folder folder) {
  auto& owner = owners_[name.owner];
  refer(owner, name.folder, folder, true);
  owner.folders.emplace(name.folder, std::move(folder));
}

bool Depot::touch_chunk(ChunkName const& name, std::int64_t now_ms) {
  auto const owner = owners_.find(name.owner);
  if (owner == owners_.end()) return false;
  auto const chunk = owner->second.chunks.find(name.hash);
  if (chunk == owner->second.chunks.end()) return false;
  chunk->second.touched_at_ms = std::max(chunk->second.touched_at_ms, now_ms);
  return true;
}

std::optional<std::int64_t> Depot::chunk_size(ChunkName const& name) const {
  auto const owner = owners_.find(name.owner);
  if (owner == owners_.end()) return std::nullopt;
  auto const chunk = owner->second.chunks.find(name.hash);
  if (chunk == owner->second.chunks.end()) return std::nullopt;
  return chunk->second.size;
}

Status Depot::check_room(std::string const& owner, std::size_t chunks, std::int64_t size) const {
  auto const held = owners_.find(owner);
  auto const count = held == owners_.end() ? 0 : held->second.chunks.size();
  if (count + chunks > limits_.owner_chunks_max)
    return Error{Code::exhausted, "your working folders have " + std::to_string(count) + " of " +
                                      std::to_string(limits_.owner_chunks_max) +
                                      " chunks that you may keep here"};
  if (bytes_of(owner) + size > limits_.owner_bytes_max)
    return Error{Code::exhausted,
                 "your working folders hold " + mib(bytes_of(owner)) + " of the " +
                     mib(limits_.owner_bytes_max) +
                     " that you may keep here; those that no job needs leave a week after their "
                     "last one, parts of folders that were never finished after a day"};
  if (bytes_ + size > limits_.bytes_max)
    return Error{Code::exhausted, "all working folders together hold " + mib(bytes_) +
                                      ", which is all that there is room for"};
  return ok();
}

Result<std::vector<bool>> Depot::add_chunks(std::string const& owner,
                                            std::vector<NewChunk> const& chunks,
                                            std::int64_t now_ms) {
  std::vector<bool> fresh;
  std::set<std::string> seen;
  std::int64_t size = 0;
  for (auto const& chunk : chunks) {
    fresh.push_back(!chunk_size({owner, chunk.hash}) && seen.insert(chunk.hash).second);
    if (fresh.back()) size += chunk.size;
  }
  if (auto room = check_room(owner, seen.size(), size); !room && !seen.empty()) return room.error();
  for (auto const& chunk : chunks) {
    restore_chunk({owner, chunk.hash}, chunk.size, now_ms);
    touch_chunk({owner, chunk.hash}, now_ms);
  }
  return fresh;
}

Status Depot::add_folder(FolderName const& name, Folder folder, std::int64_t manifest_bytes) {
  if (use_folder(name, folder.used_at_ms)) return ok();
  for (auto const& hash : folder.chunks)
    if (!chunk_size({name.owner, hash}))
      return Error{Code::conflict,
                   "the chunk " + hash + " of the folder is not here; send it first"};
  auto const owner = owners_.find(name.owner);
  if (owner != owners_.end() && owner->second.folders.size() >= limits_.owner_folders_max)
    return Error{Code::exhausted, "you have " + std::to_string(limits_.owner_folders_max) +
                                      " working folders here, which is the limit; those that no "
                                      "job needs leave a week after their last one"};
  auto const added = add_chunks(name.owner, {{name.folder, manifest_bytes}}, folder.used_at_ms);
  if (!added) return added.error();
  restore_folder(name, std::move(folder));
  return ok();
}

Depot::Folder const* Depot::find_folder(FolderName const& name) const {
  auto const owner = owners_.find(name.owner);
  if (owner == owners_.end()) return nullptr;
  auto const folder = owner->second.folders.find(name.folder);
  return folder == owner->second.folders.end() ? nullptr : &folder->second;
}

bool Depot::use_folder(FolderName const& name, std::int64_t now_ms) {
  if (find_folder(name) == nullptr) return false;
  auto& used = owners_.at(name.owner).folders.at(name.folder).used_at_ms;
  used = std::max(used, now_ms);
  return true;
}

void Depot::drop_chunk(ChunkName const& name, Outlived& gone) {
  auto& owner = owners_.at(name.owner);
  auto const chunk = owner.chunks.find(name.hash);
  owner.bytes -= chunk->second.size;
  bytes_ -= chunk->second.size;
  owner.chunks.erase(chunk);
  gone.chunks.push_back(name);
}

// With the chunks that no other folder names.
void Depot::drop_folder(FolderName const& name, Outlived& gone) {
  auto& owner = owners_.at(name.owner);
  auto const folder = owner.folders.find(name.folder);
  refer(owner, name.folder, folder->second, false);
  auto const named = named_by(name.folder, folder->second);
  owner.folders.erase(folder);
  gone.folders.push_back(name);
  for (auto const& hash : named)
    if (owner.chunks.at(hash).references == 0) drop_chunk({name.owner, hash}, gone);
}

void Depot::drop_owner_if_empty(std::string const& name) {
  auto const owner = owners_.find(name);
  if (owner != owners_.end() && owner->second.chunks.empty()) owners_.erase(owner);
}

Depot::Outlived Depot::collect(std::set<FolderName> const& in_use, std::int64_t now_ms,
                               std::size_t most) {
  std::vector<FolderName> folders;
  std::vector<ChunkName> loose;
  for (auto const& [name, owner] : owners_) {
    for (auto const& [id, folder] : owner.folders)
      if (folders.size() < most && folder.used_at_ms + limits_.unused_for_ms <= now_ms &&
          !in_use.contains({name, id}))
        folders.push_back({name, id});
    for (auto const& [hash, chunk] : owner.chunks)
      if (loose.size() < most && chunk.references == 0 &&
          chunk.touched_at_ms + limits_.loose_for_ms <= now_ms)
        loose.push_back({name, hash});
  }
  Outlived gone;
  for (auto const& name : folders) drop_folder(name, gone);
  for (auto const& name : loose) drop_chunk(name, gone);
  for (auto const& name : folders) drop_owner_if_empty(name.owner);
  for (auto const& name : loose) drop_owner_if_empty(name.owner);
  return gone;
}

Depot::Outlived Depot::make_room(std::string const& owner, std::int64_t wanted,
                                 std::set<FolderName> const& in_use) {
  Outlived gone;
  auto const found = owners_.find(owner);
  if (found == owners_.end()) return gone;
  std::vector<std::pair<std::int64_t, std::string>> oldest;
  for (auto const& [id, folder] : found->second.folders)
    if (!in_use.contains({owner, id})) oldest.emplace_back(folder.used_at_ms, id);
  std::sort(oldest.begin(), oldest.end());
  for (auto const& [used, id] : oldest) {
    if (found->second.bytes + wanted <= limits_.owner_bytes_max) break;
    drop_folder({owner, id}, gone);
  }
  drop_owner_if_empty(owner);
  return gone;
}

std::int64_t Depot::bytes_of(std::string const& owner) const {
  auto const found = owners_.find(owner);
  return found == owners_.end() ? 0 : found->second.bytes;
}

bool Depot::is_consistent() const {
  std::int64_t all = 0;
  for (auto const& [name, owner] : owners_) {
    std::map<std::string, std::uint64_t> references;
    for (auto const& [id, folder] : owner.folders)
      for (auto const& hash : named_by(id, folder)) ++references[hash];
    std::int64_t bytes = 0;
    for (auto const& [hash, chunk] : owner.chunks) {
      bytes += chunk.size;
      if (references[hash] != chunk.references) return false;
    }
    if (bytes != owner.bytes || references.size() > owner.chunks.size()) return false;
    all += bytes;
  }
  return all == bytes_;
}

}  // namespace lepton::deployer
