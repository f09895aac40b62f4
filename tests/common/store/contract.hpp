#pragma once
// The contract of store.hpp as tests that run against every implementation: the fixture. The tests
// are in contract_*_test.cpp; a new implementation adds one line to contract_test.cpp.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>

#include "common/store/store.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {

// One durable place with empty tables; each life opens a store on it.
class World {
 public:
  virtual ~World() = default;
  virtual std::unique_ptr<Store> open(Post post) = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<World>()> make;  // null when a precondition failed
};
inline void PrintTo(Implementation const& i, std::ostream* out) {
  *out << i.name;
}

class StoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    world_ = GetParam().make();
    ASSERT_NE(world_, nullptr);
    store_ = world_->open(mailbox_.post());
  }
  void new_life() {
    store_.reset();
    store_ = world_->open(mailbox_.post());
  }
  CommitResult commit(std::vector<Change> changes) {
    return mailbox_.commit(*store_, Batch{std::move(changes)});
  }
  void expect_committed(std::vector<Change> changes) {
    auto const result = commit(std::move(changes));
    EXPECT_EQ(result.outcome, Outcome::committed) << result.why;
  }
  void expect_rejected(std::vector<Change> changes) {
    auto const result = commit(std::move(changes));
    EXPECT_EQ(result.outcome, Outcome::rejected) << result.why;
    EXPECT_FALSE(result.why.empty());
  }
  std::vector<Cells> all(Table const& table) {
    auto rows = mailbox_.load(*store_, {&table});
    if (!rows) return ADD_FAILURE() << rows.error().what, std::vector<Cells>{};
    return rows->at(0);
  }
  std::vector<Cells> found(Query query) {
    auto rows = mailbox_.find(*store_, std::move(query));
    if (!rows) return ADD_FAILURE() << rows.error().what, std::vector<Cells>{};
    return *rows;
  }
  // The keys of the log as "stream/seq".
  std::vector<std::string> log_keys(std::vector<Cells> const& rows) {
    std::vector<std::string> out;
    for (auto const& row : rows)
      out.push_back(std::get<std::string>(row[0]) + "/" +
                    std::to_string(std::get<std::int64_t>(row[1])));
    return out;
  }

  Mailbox mailbox_;
  std::unique_ptr<World> world_;
  std::unique_ptr<Store> store_;
};

}  // namespace lepton::store
