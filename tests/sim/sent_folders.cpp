#include "tests/sim/sent_folders.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::sim {
namespace {

namespace fs = std::filesystem;

std::string random_text(Chance& chance, std::uint64_t most) {
  std::string text(1 + chance.below(most), ' ');
  for (auto& c : text) c = static_cast<char>('a' + chance.below(26));
  return text;
}

std::string content_of(fs::path const& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Sorted, so that a seed means the same everywhere.
std::vector<fs::path> files_below(fs::path const& place) {
  std::vector<fs::path> all;
  for (auto const& entry : fs::recursive_directory_iterator(place))
    if (entry.is_regular_file()) all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

std::string SentFolder::name() const {
  return text::hex(crypto::view(crypto::sha256(manifest.data)));
}

SentFolder SentFolder::random(Chance& chance) {
  SentFolder folder;
  FolderManifest manifest;
  std::string all;
  auto const files = 1 + chance.below(3);
  for (std::uint64_t i = 0; i < files; ++i) {
    auto const path = (i == 2 ? "src/file" : "file") + std::to_string(i);
    all += folder.files[path] = random_text(chance, 400);
  }
  for (auto const& [path, content] : folder.files)
    manifest.files.push_back({path, static_cast<std::int64_t>(content.size()), false, ""});
  for (std::size_t at = 0; at < all.size();) {
    auto const chunk = all.substr(at, 50 + chance.below(400));
    at += chunk.size();
    manifest.chunks.push_back({Bytes{std::string(crypto::view(crypto::sha256(chunk)))},
                               static_cast<std::uint32_t>(chunk.size())});
    folder.chunks.push_back(Bytes{chunk});
  }
  folder.manifest = Bytes{codec::encode(manifest)};
  return folder;
}

std::shared_ptr<node::FolderStore> SentFolders::store_of(std::string const& node) {
  auto opened = node::FolderStore::open({(place_.path() / node).string()});
  if (!opened) throw std::runtime_error(opened.error().what);
  return std::make_shared<node::FolderStore>(std::move(*opened));
}

std::string SentFolders::difference(node::RunSpec const& spec) {
  auto const found = sent_.find(job_of_task(spec.task));
  if (found == sent_.end() || !compared_.insert(spec.attempt).second) return "";
  if (spec.folder.empty()) return "it has none";
  auto wanted = found->second.files;
  for (auto const& file : files_below(spec.folder)) {
    auto const path = fs::relative(file, spec.folder).string();
    auto const one = wanted.find(path);
    if (one == wanted.end()) return path + " was never sent";
    if (content_of(file) != one->second) return path + " holds something else";
    wanted.erase(one);
  }
  return wanted.empty() ? "" : wanted.begin()->first + " is missing";
}

void SentFolders::rot(Chance& chance) {
  if (!place_.is_used()) return;
  auto files = files_below(place_.path());
  std::erase_if(files,
                [](fs::path const& file) { return file.parent_path().filename() != "chunks"; });
  if (files.empty()) return;
  auto const& file = files[chance.below(files.size())];
  auto content = content_of(file);
  content[chance.below(content.size())] ^= 1;
  std::ofstream(file, std::ios::binary) << content;
}

}  // namespace lepton::sim
