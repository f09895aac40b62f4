// Manifests of folders: what is refused.

#include "schemas/folder_check.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace lepton {
namespace {

FolderChunk chunk(std::uint32_t size) {
  return {Bytes{std::string(32, 'h')}, size};
}

FolderManifest good() {
  return {{{"a/run.sh", 3, true, ""}, {"a/to", 0, false, "run.sh"}, {"b", 7, false, ""}},
          {chunk(10)}};
}

TEST(FolderCheck, TakesAFolder) {
  EXPECT_TRUE(check_folder(good()));
  EXPECT_TRUE(check_folder({}));
}

TEST(FolderCheck, RefusesByTheReason) {
  struct Case {
    char const* name;
    std::function<void(FolderManifest&)> change;
    Code code = Code::invalid;
  };
  for (auto const& c : std::vector<Case>{
           {"a path that leaves", [](auto& f) { f.files[2].path = "b/../../x"; }},
           {"a link that leaves", [](auto& f) { f.files[1].link = "../../x"; }},
           {"a link with a size", [](auto& f) { f.files[1].size = 1; }},
           {"a negative size", [](auto& f) { f.files[0].size = -1; }},
           {"a path twice", [](auto& f) { f.files[1] = f.files[0]; }},
           {"out of order", [](auto& f) { std::swap(f.files[0], f.files[2]); }},
           {"below a link",
            [](auto& f) {
              f.files.insert(f.files.begin() + 2, {"a/to/x", 0, false, ""});
            }},
           {"below a file",
            [](auto& f) {
              f.files.push_back({"b/x", 0, false, ""});
            }},
           {"bytes without a chunk", [](auto& f) { f.chunks.clear(); }},
           {"a chunk too many", [](auto& f) { f.chunks.push_back(chunk(1)); }},
           {"a short hash", [](auto& f) { f.chunks[0].hash.data.pop_back(); }},
           {"an empty chunk", [](auto& f) { f.chunks.push_back(chunk(0)); }},
           {"a large chunk", [](auto& f) { f.chunks[0].size = folder_chunk_bytes_max + 1; }},
           {"too large", [](auto& f) { f.files[2].size = folder_bytes_max; }, Code::exhausted},
           {"too many", [](auto& f) { f.files.resize(folder_files_max + 1); }, Code::exhausted},
       }) {
    auto folder = good();
    c.change(folder);
    auto const checked = check_folder(folder);
    ASSERT_FALSE(checked) << c.name;
    EXPECT_EQ(checked.error().code, c.code) << c.name << ": " << checked.error().what;
  }
}

// "a-b" sorts between "a" and "a/x": a folder's parents are looked for everywhere.
TEST(FolderCheck, FindsAParentThatIsNoNeighbour) {
  FolderManifest const folder{{{"a", 0, false, "b"}, {"a-b", 0, false, ""}, {"a/x", 0, false, ""}},
                              {}};
  EXPECT_FALSE(check_folder(folder));
}

}  // namespace
}  // namespace lepton
