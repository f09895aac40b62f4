// Which stores the contract holds together.

#include "tests/common/store/contract.hpp"

#include "common/store/memory_store.hpp"
#include "tests/common/store/server.hpp"

namespace lepton::store {
namespace {

class MemoryWorld final : public World {
 public:
  std::unique_ptr<Store> open(Post post) override {
    return std::make_unique<MemoryStore>(disk_, MemorySettings{std::move(post)});
  }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

class PostgresWorld final : public World {
 public:
  explicit PostgresWorld(std::unique_ptr<TestDatabase> database) : database_(std::move(database)) {}
  std::unique_ptr<Store> open(Post post) override {
    return std::make_unique<PostgresStore>(database_->settings(std::move(post)));
  }

 private:
  std::unique_ptr<TestDatabase> database_;
};

std::unique_ptr<World> make_postgres() {
  auto database = TestDatabase::create();
  if (!database) return nullptr;
  return std::make_unique<PostgresWorld>(std::move(database));
}

INSTANTIATE_TEST_SUITE_P(
    Both, StoreContract,
    ::testing::Values(Implementation{"memory", [] { return std::make_unique<MemoryWorld>(); }},
                      Implementation{"postgres", make_postgres}),
    [](auto const& each) { return each.param.name; });

}  // namespace
}  // namespace lepton::store
