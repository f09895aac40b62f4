#include "tests/common/harness/scripted_store.hpp"

namespace lepton::test {

void ScriptedStore::commit(Batch batch, Committed done) {
  auto const kind = next_kind();
  store::MemoryStore memory(disk, {.post = [this](auto tell) { told_.push_back(std::move(tell)); },
                                   .fault =
                                       [kind](Batch const&) {
                                         return store::Fault{kind, 0};
                                       }});
  memory.commit(batch, [this](store::CommitResult result) { result_ = std::move(result); });
  told_.front()();  // the twin's answer, given to the actor later
  told_.clear();
  if (fenced) result_ = {store::Outcome::fenced, "epoch 2 holds the lease"};
  commits.push_back(std::move(batch));
  commit_answers.push_back([done = std::move(done), result = result_] { done(result); });
}

void ScriptedStore::load(std::vector<store::Table const*> tables, Loaded done) {
  if (reads_fail) return answers.push_back([done] { done(Error{Code::unavailable, "away"}); });
  std::vector<std::vector<store::Cells>> all;
  for (auto const* table : tables) {
    auto& out = all.emplace_back();
    for (auto const& [key, row] : disk->rows(table->name)) out.push_back(row);
  }
  answers.push_back([done, all] { done(all); });
}

void ScriptedStore::find(store::Query query, Found done) {
  ++finds;
  if (reads_fail) return answers.push_back([done] { done(Error{Code::unavailable, "away"}); });
  store::MemoryStore memory(disk, {.post = [](auto tell) { tell(); }});
  memory.find(std::move(query), [this, &done](auto found) {
    answers.push_back([done, found = std::move(found)] { done(found); });
  });
}

store::FaultKind ScriptedStore::next_kind() {
  if (script.empty()) return store::FaultKind::none;
  auto const kind = script.front();
  script.pop_front();
  return kind;
}

}  // namespace lepton::test
