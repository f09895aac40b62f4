#pragma once
// The rows of working folders (schemas/sql/deployer). Names are SHA-256 in hexadecimal.

#include <cstdint>
#include <string>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"

namespace lepton::deployer {

struct ChunkRow {
  static constexpr std::string_view table = "folder_chunk";
  std::string owner;
  std::string hash;
  std::int64_t size = 0;
  std::int64_t stored_at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = ChunkRow;
    return schema::fields(
        field(1, "owner", &R::owner, "Who sent it.").key(),
        field(2, "hash", &R::hash, "Its name.").key(), field(3, "size", &R::size, "Bytes."),
        field(4, "stored_at_ms", &R::stored_at_ms, "When it came, ms since 1970."));
  }
};
static_assert(schema::complete<ChunkRow>());

// Never in memory as a whole: read one at a time.
struct ChunkDataRow {
  static constexpr std::string_view table = "folder_data";
  std::string owner;
  std::string hash;
  Bytes data;

  static consteval auto fields() {
    using schema::field;
    using R = ChunkDataRow;
    return schema::fields(field(1, "owner", &R::owner, "Who sent it.").key(),
                          field(2, "hash", &R::hash, "Its name.").key(),
                          field(3, "data", &R::data, "What hashes to that name."));
  }
};
static_assert(schema::complete<ChunkDataRow>());

struct FolderRow {
  static constexpr std::string_view table = "folder";
  std::string owner;
  std::string folder;
  Bytes chunks;
  std::int64_t size = 0;
  std::int64_t used_at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = FolderRow;
    return schema::fields(
        field(1, "owner", &R::owner, "Who sent it.").key(),
        field(2, "folder", &R::folder, "Its name, under which its manifest is a chunk.").key(),
        field(3, "chunks", &R::chunks, "SHA-256 of each, 32 octets after 32 octets."),
        field(4, "size", &R::size, "Bytes of its files."),
        field(5, "used_at_ms", &R::used_at_ms, "Last commit or job, ms since 1970."));
  }
};
static_assert(schema::complete<FolderRow>());

}  // namespace lepton::deployer
