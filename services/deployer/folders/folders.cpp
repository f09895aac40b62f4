#include "services/deployer/folders/folders.hpp"

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/folder_check.hpp"

namespace lepton::deployer {
namespace {

constexpr TimeMs tick_ms = 1'000, collect_every_ms = 600'000;
constexpr std::size_t collected_at_once = 50;  // each may have thousands of chunks
constexpr std::size_t store_bytes_max = std::size_t{2} << 20, hashes_max = 20'000;
constexpr std::size_t fetches_max = 64;  // a chunk each in memory

std::string path_of(actor::Context& c, std::string const& name) {
  return "job/" + c.caller().name + "/" + name;
}

Status allow(actor::Context& c, std::string const& name) {
  if (!text::is_dns_label(name)) return Error{Code::invalid, "name: must be a DNS label"};
  return c.allow(Verb::run, path_of(c, name));
}

std::string name_of(std::string_view content) {
  return text::hex(crypto::view(crypto::sha256(content)));
}

Error gone(std::string const& folder) {
  return {Code::invalid, "workdir: the folder " + folder +
                             " is not here (any more); `lepton apply` sends it again"};
}

}  // namespace

std::vector<store::Table const*> Folders::tables() {
  return {&store::table_of<ChunkRow>(), &store::table_of<FolderRow>()};
}

void Folders::restore(actor::Rows const& rows) {
  for (auto const& row : rows.of<ChunkRow>())
    depot_.restore_chunk({row.owner, row.hash}, row.size, row.stored_at_ms);
  for (auto const& row : rows.of<FolderRow>()) {
    Depot::Folder folder{{}, row.used_at_ms, row.size};
    for (std::size_t at = 0; at + folder_hash_bytes <= row.chunks.data.size();
         at += folder_hash_bytes)
      folder.chunks.push_back(text::hex(std::string_view(row.chunks.data).substr(at, 32)));
    depot_.restore_folder({row.owner, row.folder}, std::move(folder));
  }
}

void Folders::start(actor::Context& c) {
  collect_at_ = c.now() + collect_every_ms;
  c.after(tick_ms, [this](actor::Context& later) { tick(later); });
}

Result<WorkdirWanted> Folders::missing(WorkdirMissing const& m, actor::Context& c) {
  if (auto allowed = allow(c, m.name); !allowed) return allowed.error();
  if (m.hashes.size() > hashes_max)
    return Error{Code::invalid, "hashes: at most 20,000 in one question"};
  WorkdirWanted reply;
  for (std::uint32_t i = 0; i < m.hashes.size(); ++i)
    if (!depot_.touch_chunk({c.caller().name, text::hex(m.hashes[i].data)}, c.wall()))
      reply.wanted.push_back(i);
  return reply;
}

Result<WorkdirStored> Folders::store(WorkdirStore const& m, actor::Context& c) {
  if (auto allowed = allow(c, m.name); !allowed) return allowed.error();
  std::vector<Depot::NewChunk> chunks;
  std::int64_t bytes = 0;
  for (auto const& chunk : m.chunks) {
    if (chunk.data.empty() || chunk.data.size() > folder_chunk_bytes_max)
      return Error{Code::invalid, "chunks: each has 1 to 1,048,576 bytes"};
    bytes += static_cast<std::int64_t>(chunk.data.size());
    chunks.push_back({name_of(chunk.data), static_cast<std::int64_t>(chunk.data.size())});
  }
  if (bytes > static_cast<std::int64_t>(store_bytes_max))
    return Error{Code::invalid, "chunks: more than 2 MiB in one message"};
  auto const& owner = c.caller().name;
  auto const fresh = depot_.add_chunks(owner, chunks, c.wall());
  if (!fresh) {
    crowded_[owner] = bytes;  // what is longest unused goes, and the next try may fit
    return fresh.error();
  }
  WorkdirStored reply;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (!(*fresh)[i]) continue;
    ++reply.stored;
    c.upsert(ChunkRow{owner, chunks[i].hash, chunks[i].size, c.wall()});
    c.upsert(ChunkDataRow{owner, chunks[i].hash, m.chunks[i]});
  }
  return reply;
}

Result<WorkdirKept> Folders::commit(WorkdirCommit const& m, actor::Context& c) {
  if (auto allowed = allow(c, m.name); !allowed) return allowed.error();
  if (m.manifest.data.size() > folder_manifest_bytes_max)
    return Error{Code::exhausted, "manifest: larger than 2 MiB; the folder has too many files"};
  auto const folder = codec::decode<FolderManifest>(m.manifest.data);
  if (!folder) return Error{Code::invalid, "manifest: " + folder.error().what};
  if (auto good = check_folder(*folder); !good)
    return Error{good.error().code, "manifest: " + good.error().what};
  FolderName const name{c.caller().name, name_of(m.manifest.data)};
  Depot::Folder kept{{}, c.wall(), 0};
  for (auto const& chunk : folder->chunks) {
    auto const hash = text::hex(chunk.hash.data);
    auto const held = depot_.chunk_size({name.owner, hash});
    if (held && *held != chunk.size)
      return Error{Code::invalid, "manifest: chunk " + hash + " has another size"};
    kept.chunks.push_back(hash);
    kept.size += chunk.size;
  }
  auto const size = kept.size;
  auto const manifest_bytes = static_cast<std::int64_t>(m.manifest.data.size());
  auto const fresh = !depot_.chunk_size({name.owner, name.folder});
  if (auto added = depot_.add_folder(name, std::move(kept), manifest_bytes); !added) {
    if (added.error().code == Code::exhausted) crowded_[name.owner] = manifest_bytes;
    return added.error();
  }
  if (fresh) {
    c.upsert(ChunkRow{name.owner, name.folder, manifest_bytes, c.wall()});
    c.upsert(ChunkDataRow{name.owner, name.folder, m.manifest});
  }
  save(name, c);
  c.note("workdir", name.folder);
  c.note("bytes", std::to_string(size));
  return WorkdirKept{name.folder, static_cast<std::uint32_t>(folder->files.size()), size};
}

void Folders::fetch(WorkdirFetch const& m, actor::Ticket<WorkdirFetch> ticket, actor::Context& c) {
  if (c.caller().name != m.node.value)
    return c.answer(ticket, Error{Code::denied, "a node may speak for itself only"});
  auto const name = jobs_.folder_of(m.node, m.attempt);
  if (!name)
    return c.answer(ticket, Error{Code::not_found, "no attempt " + m.attempt.value +
                                                       " with a working folder is placed there"});
  auto const* folder = depot_.find_folder(*name);
  if (folder == nullptr) return c.answer(ticket, gone(name->folder));
  if (m.part > folder->chunks.size())
    return c.answer(ticket, Error{Code::invalid, "part: the folder has fewer chunks"});
  if (fetches_ >= fetches_max)
    return c.answer(ticket, Error{Code::exhausted, "many folders are being read; try again"});
  ++fetches_;
  auto const hash = m.part == 0 ? name->folder : folder->chunks[m.part - 1];
  store::Query query{nullptr, {}, "", false, 1};
  query.where.push_back({"owner", store::Compare::equal, name->owner});
  query.where.push_back({"hash", store::Compare::equal, hash});
  c.find<ChunkDataRow>(std::move(query), [this, ticket, hash](
                                             Result<std::vector<ChunkDataRow>> const& found,
                                             actor::Context& later) {
    --fetches_;
    if (!found) return later.answer(ticket, found.error());
    if (found->empty())
      return later.answer(ticket, Error{Code::not_found, "the chunk " + hash + " is missing here"});
    later.answer(ticket, Result<WorkdirData>(WorkdirData{found->front().data}));
  });
}

Status Folders::check(std::string const& owner, std::string const& folder) const {
  if (folder.empty() || depot_.find_folder({owner, folder}) != nullptr) return ok();
  return gone(folder);
}

void Folders::use(std::string const& owner, std::string const& folder, actor::Context& c) {
  if (!folder.empty() && depot_.use_folder({owner, folder}, c.wall())) save({owner, folder}, c);
}

void Folders::save(FolderName const& name, actor::Context& c) {
  auto const& folder = *depot_.find_folder(name);
  FolderRow row{name.owner, name.folder, {}, folder.size, folder.used_at_ms};
  for (auto const& hash : folder.chunks) row.chunks.data += *text::unhex(hash);
  c.upsert(row);
}

void Folders::tick(actor::Context& c) {
  if (!crowded_.empty()) {
    auto const in_use = jobs_.folders_in_use();
    for (auto const& [owner, wanted] : std::exchange(crowded_, {}))
      erase(depot_.make_room(owner, wanted, in_use), c);
  }
  if (c.now() >= collect_at_) collect(c);
  c.after(tick_ms, [this](actor::Context& later) { tick(later); });
}

void Folders::collect(actor::Context& c) {
  auto const gone = depot_.collect(jobs_.folders_in_use(), c.wall(), collected_at_once);
  auto const more = gone.folders.size() >= collected_at_once;
  collect_at_ = c.now() + (more ? tick_ms : collect_every_ms);
  erase(gone, c);
}

void Folders::erase(Depot::Outlived const& gone, actor::Context& c) {
  for (auto const& name : gone.folders) c.erase(FolderRow{name.owner, name.folder, {}, 0, 0});
  for (auto const& name : gone.chunks) {
    c.erase(ChunkRow{name.owner, name.hash, 0, 0});
    c.erase(ChunkDataRow{name.owner, name.hash, {}});
  }
  if (!gone.folders.empty())
    c.log(actor::Level::info,
          "forgot " + std::to_string(gone.folders.size()) + " working folders that no job needs");
}

}  // namespace lepton::deployer
