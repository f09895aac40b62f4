#pragma once
// A store that answers when the test says so, and with the outcome that it says; its disk is a real
// MemoryDisk.

#include <deque>

#include "common/store/memory_store.hpp"

namespace lepton::test {

class ScriptedStore final : public store::Store {
 public:
  using Batch = store::Batch;
  void commit(Batch batch, Committed done) override;
  void load(std::vector<store::Table const*> tables, Loaded done) override;
  void find(store::Query query, Found done) override;

  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::vector<Batch> commits;
  std::deque<std::function<void()>> commit_answers, answers;
  std::deque<store::FaultKind> script;  // of the next commits
  bool hold_commits = false, reads_fail = false, fenced = false;
  int finds = 0;

 private:
  store::FaultKind next_kind();

  std::vector<std::function<void()>> told_;
  store::CommitResult result_;
};

}  // namespace lepton::test
