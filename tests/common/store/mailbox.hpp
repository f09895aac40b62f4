#pragma once
// The runtime thread of the store tests: answers wait here until the test's thread runs them.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "common/store/post.hpp"
#include "common/store/store.hpp"

namespace lepton::store {

class Mailbox {
 public:
  Post post() {
    return [this](std::function<void()> f) {
      {
        std::lock_guard const lock(mutex_);
        waiting_.push_back(std::move(f));
      }
      changed_.notify_all();
    };
  }

  // Runs answers on this thread until `done`; the limit only ends a test that would hang.
  bool run_until(std::function<bool()> const& done) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, end, [&] { return !waiting_.empty(); })) return false;
      auto f = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      f();
    }
    return true;
  }

  std::size_t waiting() {
    std::lock_guard const lock(mutex_);
    return waiting_.size();
  }

  CommitResult commit(Store& store, Batch batch) {
    std::optional<CommitResult> result;
    store.commit(std::move(batch), [&](CommitResult r) { result = std::move(r); });
    EXPECT_FALSE(result) << "an answer must come through post";
    EXPECT_TRUE(run_until([&] { return result.has_value(); })) << "no answer to a commit";
    return result.value_or(CommitResult{Outcome::in_doubt, "no answer"});
  }

  Result<std::vector<std::vector<Cells>>> load(Store& store, std::vector<Table const*> tables) {
    std::optional<Result<std::vector<std::vector<Cells>>>> result;
    store.load(std::move(tables), [&](auto rows) { result.emplace(std::move(rows)); });
    EXPECT_TRUE(run_until([&] { return result.has_value(); })) << "no answer to a load";
    return result ? *result : Error{Code::timeout, "no answer"};
  }

  Result<std::vector<Cells>> find(Store& store, Query query) {
    std::optional<Result<std::vector<Cells>>> result;
    store.find(std::move(query), [&](auto rows) { result.emplace(std::move(rows)); });
    EXPECT_TRUE(run_until([&] { return result.has_value(); })) << "no answer to a find";
    return result ? *result : Error{Code::timeout, "no answer"};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace lepton::store
