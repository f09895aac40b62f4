// The book of working folders: allowances, references, what goes when.

#include "services/deployer/core/depot.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::deployer {
namespace {

DepotLimits small() {
  DepotLimits limits;
  limits.owner_bytes_max = 100;
  limits.bytes_max = 150;
  limits.owner_chunks_max = 8;
  limits.owner_folders_max = 3;
  limits.loose_for_ms = 10;
  limits.unused_for_ms = 100;
  return limits;
}

struct Kept {
  Depot depot{small()};

  Status chunks(std::string const& owner, std::vector<Depot::NewChunk> const& all,
                std::int64_t now = 0) {
    auto const added = depot.add_chunks(owner, all, now);
    return added ? ok() : Status(added.error());
  }
  Status folder(std::string const& owner, std::string const& name, std::vector<std::string> chunks,
                std::int64_t now = 0) {
    return depot.add_folder({owner, name}, {std::move(chunks), now, 0}, 1);
  }
};

TEST(Depot, KnowsChunksByTheirOwner) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 10}}));
  EXPECT_TRUE(k.depot.touch_chunk({"ann", "x"}, 1));
  EXPECT_FALSE(k.depot.touch_chunk({"bob", "x"}, 1)) << "he does not even learn that it exists";
  EXPECT_EQ(k.folder("bob", "f", {"x"}).error().code, Code::conflict) << "nor gets at it";
  ASSERT_TRUE(k.folder("ann", "f", {"x"}));
  EXPECT_EQ(k.depot.find_folder({"bob", "f"}), nullptr);
}

TEST(Depot, TellsWhatWasNew) {
  Kept k;
  auto const first = k.depot.add_chunks("ann", {{"x", 10}, {"y", 10}, {"x", 10}}, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(k.depot.bytes(), 20);
  EXPECT_EQ(*k.depot.add_chunks("ann", {{"x", 10}}, 0), std::vector<bool>{false});
}

TEST(Depot, RefusesBeyondTheAllowanceAndChangesNothing) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 60}}));
  auto const beyond = k.chunks("ann", {{"y", 30}, {"z", 30}});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::exhausted);
  EXPECT_EQ(k.depot.bytes_of("ann"), 60);
  EXPECT_FALSE(k.depot.touch_chunk({"ann", "y"}, 0));
  ASSERT_TRUE(k.chunks("bob", {{"y", 90}})) << "his own";
  EXPECT_EQ(k.chunks("cy", {{"y", 20}}).error().code, Code::exhausted) << "all together";
  std::vector<Depot::NewChunk> many;
  for (int i = 0; i < 8; ++i) many.push_back({"m" + std::to_string(i), 1});
  EXPECT_EQ(k.chunks("ann", many).error().code, Code::exhausted);
  EXPECT_TRUE(k.chunks("ann", {{"x", 60}})) << "what is here needs no room";
}

TEST(Depot, ACrowdOfFoldersIsRefused) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 1}}));
  for (auto const* name : {"f", "g", "h"}) ASSERT_TRUE(k.folder("ann", name, {"x"}));
  EXPECT_EQ(k.folder("ann", "i", {"x"}).error().code, Code::exhausted);
  EXPECT_TRUE(k.folder("ann", "h", {"x"})) << "it is here";
  EXPECT_TRUE(k.depot.is_consistent());
}

TEST(Depot, ForgetsLooseChunksAndUnusedFolders) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 1}, {"loose", 1}}));
  ASSERT_TRUE(k.folder("ann", "f", {"x"}));
  EXPECT_TRUE(k.depot.collect({}, 9, 10).chunks.empty());
  EXPECT_EQ(k.depot.collect({}, 10, 10).chunks, (std::vector<ChunkName>{{"ann", "loose"}}));
  EXPECT_TRUE(k.depot.collect({{"ann", "f"}}, 1'000, 10).folders.empty()) << "a job needs it";
  ASSERT_TRUE(k.depot.use_folder({"ann", "f"}, 1'000));
  EXPECT_TRUE(k.depot.collect({}, 1'099, 10).folders.empty());
  auto const gone = k.depot.collect({}, 1'100, 10);
  EXPECT_EQ(gone.folders, (std::vector<FolderName>{{"ann", "f"}}));
  EXPECT_EQ(gone.chunks, (std::vector<ChunkName>{{"ann", "f"}, {"ann", "x"}}));
  EXPECT_EQ(k.depot.bytes(), 0);
}

TEST(Depot, AskingForAChunkKeepsIt) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 1}}));
  EXPECT_TRUE(k.depot.touch_chunk({"ann", "x"}, 5));
  EXPECT_TRUE(k.depot.collect({}, 14, 10).chunks.empty());
  EXPECT_EQ(k.depot.collect({}, 15, 10).chunks.size(), 1u);
}

TEST(Depot, WhatFoldersShareStaysWithTheLast) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 1}, {"y", 1}}));
  ASSERT_TRUE(k.folder("ann", "f", {"x", "y", "x"}, 0));
  ASSERT_TRUE(k.folder("ann", "g", {"x"}, 50));
  auto const first = k.depot.collect({}, 100, 10);
  EXPECT_EQ(first.chunks, (std::vector<ChunkName>{{"ann", "f"}, {"ann", "y"}}));
  EXPECT_TRUE(k.depot.is_consistent());
}

TEST(Depot, MakesRoomWithTheLongestUnused) {
  Kept k;
  ASSERT_TRUE(k.chunks("ann", {{"x", 30}, {"y", 30}, {"z", 30}}));
  ASSERT_TRUE(k.folder("ann", "f", {"x"}, 2));
  ASSERT_TRUE(k.folder("ann", "g", {"y"}, 1));
  ASSERT_TRUE(k.folder("ann", "h", {"z"}, 0));
  auto const gone = k.depot.make_room("ann", 20, {{"ann", "h"}});
  EXPECT_EQ(gone.folders, (std::vector<FolderName>{{"ann", "g"}}));
  EXPECT_TRUE(k.depot.make_room("bob", 1'000, {}).folders.empty());
  EXPECT_TRUE(k.depot.make_room("ann", 1, {}).folders.empty()) << "there is room";
}

// Whatever is done in whatever order: the totals are right, no folder lacks a chunk, and what rows
// would hold makes the same book again.
RC_GTEST_PROP(Depot, StaysConsistent, ()) {
  Depot depot(small());
  std::map<ChunkName, std::int64_t> rows;
  std::map<FolderName, Depot::Folder> folders;
  auto const erase = [&](Depot::Outlived const& gone) {
    for (auto const& name : gone.chunks) RC_ASSERT(rows.erase(name) == 1u);
    for (auto const& name : gone.folders) RC_ASSERT(folders.erase(name) == 1u);
  };
  std::int64_t now = 0;
  auto const steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    now += *rc::gen::inRange(0, 20);
    auto const owner = *rc::gen::element<std::string>("ann", "bob");
    auto const hash = [] { return std::to_string(*rc::gen::inRange(0, 6)); };
    switch (*rc::gen::inRange(0, 5)) {
      case 0: {
        auto const name = hash();
        std::int64_t const size = 10 + std::stoi(name);
        auto const added = depot.add_chunks(owner, {{name, size}}, now);
        if (added && added->front()) rows[{owner, name}] = size;
        break;
      }
      case 1: {
        FolderName const name{owner, "f" + hash()};
        Depot::Folder const folder{{hash(), hash()}, now, 0};
        auto const fresh = !depot.chunk_size({owner, name.folder});
        if (!depot.add_folder(name, folder, 1)) break;
        if (fresh) rows[{owner, name.folder}] = 1;
        folders.try_emplace(name, folder);
        break;
      }
      case 2:
        erase(depot.collect({}, now, 2));
        break;
      case 3:
        erase(depot.make_room(owner, *rc::gen::inRange(0, 100), {}));
        break;
      default:
        depot.touch_chunk({owner, hash()}, now);
    }
    RC_ASSERT(depot.is_consistent());
  }
  Depot again(small());
  for (auto const& [name, size] : rows) again.restore_chunk(name, size, 0);
  for (auto const& [name, folder] : folders) again.restore_folder(name, folder);
  RC_ASSERT(again.is_consistent());
  RC_ASSERT(again.bytes() == depot.bytes());
}

}  // namespace
}  // namespace lepton::deployer
