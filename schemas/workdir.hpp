#pragma once
// Messages about working folders that people send along with their jobs. A folder is a manifest:
// its files in the order of their paths, and the chunks that the files' contents are cut into when
// they are laid end to end. Chunks and the manifest are named by their SHA-256. Everything belongs
// to the person who sent it; nobody sees or uses chunks of another. The deployer owns and serves
// these messages. Sizes in bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"

namespace lepton {

struct FolderFile {
  std::string path;
  std::int64_t size = 0;
  bool executable = false;
  std::string link;

  bool operator==(FolderFile const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = FolderFile;
    return schema::fields(field(1, "path", &T::path, "Below the folder, parts joined by '/'."),
                          field(2, "size", &T::size, "Bytes; 0 for a link."),
                          field(3, "executable", &T::executable, "Its owner may run it."),
                          field(4, "link", &T::link,
                                "Where a symbolic link leads, inside the folder; empty: a file."));
  }
};
static_assert(schema::complete<FolderFile>());
struct FolderChunk {
  Bytes hash;
  std::uint32_t size = 0;

  auto operator<=>(FolderChunk const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = FolderChunk;
    return schema::fields(field(1, "hash", &T::hash, "SHA-256, 32 octets."),
                          field(2, "size", &T::size, "Bytes."));
  }
};
static_assert(schema::complete<FolderChunk>());
struct FolderManifest {
  std::vector<FolderFile> files;
  std::vector<FolderChunk> chunks;

  bool operator==(FolderManifest const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = FolderManifest;
    return schema::fields(
        field(1, "files", &T::files, "By path, rising octet by octet."),
        field(2, "chunks", &T::chunks, "Of the files' contents end to end, in order."));
  }
};
static_assert(schema::complete<FolderManifest>());
struct WorkdirWanted {
  std::vector<std::uint32_t> wanted;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "wanted", &WorkdirWanted::wanted,
                                "Places in the list of those that must be sent."));
  }
};
static_assert(schema::complete<WorkdirWanted>());
// Which chunks are not here yet; asking again keeps the others from being forgotten.
struct WorkdirMissing {
  static constexpr std::string_view topic = "deployer.workdir.missing";
  static constexpr Verb verb = Verb::run;
  using Reply = WorkdirWanted;
  std::string name;
  std::vector<Bytes> hashes;

  static consteval auto fields() {
    using schema::field;
    using T = WorkdirMissing;
    return schema::fields(
        field(1, "name", &T::name, "Of the job or service that it is for; decides the right."),
        field(2, "hashes", &T::hashes, "SHA-256 of each chunk."));
  }
};
static_assert(schema::complete<WorkdirMissing>());
struct WorkdirStored {
  std::uint32_t stored = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "stored", &WorkdirStored::stored, "Chunks that were new."));
  }
};
static_assert(schema::complete<WorkdirStored>());
// Kept for a day; a WorkdirCommit that names them keeps them longer.
struct WorkdirStore {
  static constexpr std::string_view topic = "deployer.workdir.store";
  static constexpr Verb verb = Verb::run;
  using Reply = WorkdirStored;
  std::string name;
  std::vector<Bytes> chunks;

  static consteval auto fields() {
    using schema::field;
    using T = WorkdirStore;
    return schema::fields(
        field(1, "name", &T::name, "As in WorkdirMissing."),
        field(2, "chunks", &T::chunks, "At most 2 MiB in all, each at most 1 MiB."));
  }
};
static_assert(schema::complete<WorkdirStore>());
struct WorkdirKept {
  std::string workdir;
  std::uint32_t files = 0;
  std::int64_t size = 0;

  static consteval auto fields() {
    using schema::field;
    using T = WorkdirKept;
    return schema::fields(field(1, "workdir", &T::workdir, "Its identity, for JobSpec.workdir."),
                          field(2, "files", &T::files, "Files and links in it."),
                          field(3, "size", &T::size, "Bytes of its files."));
  }
};
static_assert(schema::complete<WorkdirKept>());
struct WorkdirCommit {
  static constexpr std::string_view topic = "deployer.workdir.commit";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::run;
  using Reply = WorkdirKept;
  std::string name;
  Bytes manifest;

  static consteval auto fields() {
    using schema::field;
    using T = WorkdirCommit;
    return schema::fields(
        field(1, "name", &T::name, "As in WorkdirMissing."),
        field(2, "manifest", &T::manifest, "A FolderManifest, msgpack; its SHA-256 names it."));
  }
};
static_assert(schema::complete<WorkdirCommit>());
struct WorkdirData {
  Bytes data;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "data", &WorkdirData::data, "The bytes."));
  }
};
static_assert(schema::complete<WorkdirData>());
// A node fetches the folder of an attempt that it was given, part by part: only what the manifest
// names can be asked for.
struct WorkdirFetch {
  static constexpr std::string_view topic = "deployer.workdir.fetch";
  static constexpr Verb verb = Verb::write;
  using Reply = WorkdirData;
  NodeId node;
  AttemptId attempt;
  std::uint32_t part = 0;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = WorkdirFetch;
    return schema::fields(field(1, "node", &T::node, "Name; must be the caller's own."),
                          field(2, "attempt", &T::attempt, "Placed there."),
                          field(3, "part", &T::part, "0: the manifest; n: chunk n - 1 of it."));
  }
};
static_assert(schema::complete<WorkdirFetch>());
}  // namespace lepton
