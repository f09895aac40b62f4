// Working folders: sent in parts, kept by owner, given to the node of an attempt and to nobody
// else.

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

Bytes hash_of(std::string const& data) {
  return {std::string(crypto::view(crypto::sha256(data)))};
}

class FoldersTest : public DeployerTest {
 protected:
  std::string const content = "print('hello')\n";

  FolderManifest manifest(std::string const& data) {
    return {{{"main.py", static_cast<std::int64_t>(data.size()), false, ""}},
            {{hash_of(data), static_cast<std::uint32_t>(data.size())}}};
  }
  Result<WorkdirKept> commit(FolderManifest const& folder, As const& who,
                             std::string name = "train") {
    return ask(WorkdirCommit{std::move(name), Bytes{codec::encode(folder)}}, who);
  }
  Result<WorkdirStored> put(std::vector<std::string> const& chunks, As const& who) {
    WorkdirStore m{"train", {}};
    for (auto const& chunk : chunks) m.chunks.push_back({chunk});
    return ask(m, who);
  }
  std::string send(std::string const& data, As const& who) {
    EXPECT_TRUE(put({data}, who));
    auto const kept = commit(manifest(data), who);
    EXPECT_TRUE(kept) << kept.error().what;
    return kept ? kept->workdir : "";
  }
  JobSpec with_folder(std::string folder) {
    auto s = spec();
    s.workdir = std::move(folder);
    return s;
  }
  Result<WorkdirData> fetch(FakeNode& node, AttemptId attempt, std::uint32_t part) {
    return ask(WorkdirFetch{NodeId{node.name}, std::move(attempt), part}, {.name = node.name});
  }
  std::size_t rows_of(std::string const& data) {
    return store.disk->rows(ChunkDataRow::table)
        .count(store::key_cells(ChunkDataRow{"ann", text::hex(hash_of(data).data), {}}));
  }
  // A claimed job of ann's with a folder on n1; its attempt.
  AttemptId claimed() {
    orders(n1);
    EXPECT_TRUE(submit("job-1", with_folder(send(content, ann)), ann));
    auto const starts = orders(n1).starts;
    EXPECT_EQ(starts.size(), 1u);
    return starts.empty() ? AttemptId{} : starts[0].attempt;
  }
};

TEST_F(FoldersTest, OnlyWhatIsMissingIsAskedFor) {
  WorkdirMissing const question{"train", {hash_of("a"), hash_of("b")}};
  EXPECT_EQ(ask(question, ann)->wanted, (std::vector<std::uint32_t>{0, 1}));
  ASSERT_TRUE(put({"a"}, ann));
  EXPECT_EQ(ask(question, ann)->wanted, std::vector<std::uint32_t>{1}) << "a broken upload goes on";
  EXPECT_EQ(ask(question, bob)->wanted.size(), 2u) << "whose chunks are none of his business";
  EXPECT_EQ(put({"a", "b"}, ann)->stored, 1u);
  EXPECT_TRUE(ask(question, ann)->wanted.empty());
}

TEST_F(FoldersTest, AFolderReachesTheNodeOfItsAttempt) {
  auto const attempt = claimed();
  auto const first = fetch(n1, attempt, 0);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(text::hex(hash_of(first->data.data).data), view("job-1").spec.workdir);
  EXPECT_EQ(fetch(n1, attempt, 1)->data.data, content);
  EXPECT_EQ(outcome(fetch(n1, attempt, 2)), "invalid");
  n1.says(attempt, AttemptState::running);
  orders(n1);
  EXPECT_TRUE(fetch(n1, attempt, 1));
  end_on(n1, attempt);
  EXPECT_EQ(outcome(fetch(n1, attempt, 1)), "not_found") << "it is over";
}

TEST_F(FoldersTest, NobodyElseReadsIt) {
  auto const attempt = claimed();
  orders(n2);
  EXPECT_EQ(outcome(fetch(n2, attempt, 1)), "not_found") << "another node";
  EXPECT_EQ(outcome(ask(WorkdirFetch{NodeId{"n1"}, attempt, 1}, {.name = "n2"})), "denied");
  EXPECT_EQ(outcome(ask(WorkdirFetch{NodeId{"n1"}, attempt, 1}, root)), "denied");
  EXPECT_EQ(outcome(fetch(n1, AttemptId{"job-2-0-1"}, 1)), "not_found");
  EXPECT_EQ(outcome(fetch(n1, AttemptId{"nonsense"}, 1)), "not_found");
}

TEST_F(FoldersTest, AHashIsNoKeyToOthersFolders) {
  auto const folder = send(content, ann);
  EXPECT_EQ(outcome(submit("job-b", with_folder(folder), bob)), "invalid");
  EXPECT_EQ(outcome(commit(manifest(content), bob)), "conflict") << "he never sent the chunk";
  EXPECT_EQ(outcome(submit("job-b", with_folder("../../etc"), bob)), "invalid");
}

TEST_F(FoldersTest, BadOnesAreRefused) {
  ASSERT_TRUE(put({content}, ann));
  auto outside = manifest(content);
  outside.files[0].path = "../main.py";
  EXPECT_EQ(outcome(commit(outside, ann)), "invalid");
  auto linked = manifest(content);
  linked.files.push_back({"passwd", 0, false, "/etc/passwd"});
  EXPECT_EQ(outcome(commit(linked, ann)), "invalid");
  auto resized = manifest(content);
  resized.files[0].size = 1;
  resized.chunks[0].size = 1;
  EXPECT_EQ(outcome(commit(resized, ann)), "invalid") << "the chunk has another size";
  EXPECT_EQ(outcome(ask(WorkdirCommit{"train", {"not msgpack"}}, ann)), "invalid");
  EXPECT_EQ(outcome(commit(manifest("never sent"), ann)), "conflict");
  EXPECT_EQ(outcome(put({""}, ann)), "invalid");
  EXPECT_EQ(outcome(put({std::string((1 << 20) + 1, 'x')}, ann)), "invalid");
  std::string const large(1 << 20, 'x');
  EXPECT_EQ(outcome(put({large, large, "x"}, ann)), "invalid");
  EXPECT_EQ(outcome(ask(WorkdirMissing{"../bob/train", {}}, ann)), "invalid");
  EXPECT_EQ(actor().folders().depot().bytes(), static_cast<std::int64_t>(content.size()));
}

TEST_F(FoldersTest, WhoMayNotRunTheJobSendsNothing) {
  rule_gate.rule = [](actor::Caller const&, Verb, std::string_view path) -> Status {
    if (path == "job/ann/train") return ok();
    return Error{Code::denied, "no policy allows it"};
  };
  EXPECT_TRUE(put({content}, ann));
  EXPECT_EQ(outcome(put({content}, bob)), "denied");
  EXPECT_EQ(outcome(commit(manifest(content), ann, "other")), "denied");
  EXPECT_EQ(outcome(ask(WorkdirMissing{"other", {}}, ann)), "denied");
}

TEST_F(FoldersTest, ACommitIsAuditedOnceAndChunksAreNot) {
  auto const folder = send(content, ann);
  auto const entries = audited("deployer.workdir.commit");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "ann");
  EXPECT_EQ(entries[0].resource, "job/ann/train");
  EXPECT_EQ(entries[0].detail.at("workdir"), folder);
  EXPECT_TRUE(audited("deployer.workdir.store").empty());
}

TEST_F(FoldersTest, EverythingSurvivesARestart) {
  auto const attempt = claimed();
  boot();
  EXPECT_TRUE(actor().folders().depot().is_consistent());
  orders(n1);
  EXPECT_EQ(fetch(n1, attempt, 1)->data.data, content);
  EXPECT_TRUE(ask(WorkdirMissing{"train", {hash_of(content)}}, ann)->wanted.empty());
}

TEST_F(FoldersTest, WhatIsLostInTheDatabaseIsSaid) {
  auto const attempt = claimed();
  store.disk->apply(
      {{{store::Op::erase, &store::table_of<ChunkDataRow>(),
         store::key_cells(ChunkDataRow{"ann", text::hex(hash_of(content).data), {}})}}});
  auto const got = fetch(n1, attempt, 1);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::not_found);
  EXPECT_NE(got.error().what.find("is missing here"), std::string::npos);
}

TEST_F(FoldersTest, UnusedOnesLeaveAfterAWhileAndUsedOnesStay) {
  deployer_settings.folders.loose_for_ms = 1'000'000;
  deployer_settings.folders.unused_for_ms = 5'000'000;
  boot();
  auto const used = send("used", ann);
  send("unused", ann);
  ASSERT_TRUE(put({"loose"}, ann));
  ASSERT_TRUE(submit("job-1", with_folder(used), ann));  // no node: it waits
  advance(1'700'000);
  EXPECT_EQ(rows_of("loose"), 0u);
  EXPECT_EQ(rows_of("unused"), 1u);
  advance(4'000'000);
  EXPECT_EQ(rows_of("unused"), 0u);
  EXPECT_EQ(rows_of("used"), 1u);
  EXPECT_EQ(outcome(submit("job-2", with_folder(used), ann)), "ok");
  EXPECT_TRUE(actor().folders().depot().is_consistent());
}

TEST_F(FoldersTest, AFullAllowanceMakesRoomForTheNext) {
  deployer_settings.folders.owner_bytes_max = 1'000;
  boot();
  send(std::string(400, 'a'), ann);
  std::string const next(800, 'b');
  EXPECT_EQ(outcome(put({next}, ann)), "exhausted");
  advance(1'000);
  EXPECT_EQ(outcome(put({next}, ann)), "ok") << "nobody needed the first";
  EXPECT_EQ(outcome(put({std::string(1'001, 'c')}, ann)), "exhausted") << "for ever";
  EXPECT_EQ(outcome(put({std::string(900, 'c')}, bob)), "ok") << "everybody has his own";
}

}  // namespace
}  // namespace lepton::deployer::testing
