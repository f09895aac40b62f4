#pragma once
// The store of the services: PostgreSQL 15 or newer. One thread and connection write, another pair
// reads; calls return at once and answers come through `post`. Tables are those of one schema,
// whose migrations (schemas/sql) were applied. Times in ms.
//
// Durability: refuses a server with fsync, synchronous_commit or full_page_writes off. A COMMIT
// without an answer is settled by the writer's marker row (writer.hpp); in_doubt only when the
// server stays away longer than settle_limit_ms. While it is away, commits are answered unavailable
// at once. Ending: the destructor finishes the call at hand; calls that still wait are never
// answered.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/store/post.hpp"
#include "common/store/store.hpp"

namespace lepton::store {

class Worker;
class Writer;

// Of tables that only grow: load() takes the rows whose key stands in this view of the schema,
// which has one column, named as the key. The view says what a new life needs; the rest stays for
// people.
using LoadViews = std::map<std::string, std::string>;

struct PostgresSettings {
  Secret<std::string> database_url;
  std::string schema;
  std::string marker = "main";  // one writer at a time uses it: [a-z0-9_.-]{1,64}
  std::optional<std::int64_t> lease_epoch = std::nullopt;  // from acquire_lease; absent: no fence
  Post post;
  LoadViews load_views = {};  // by table
  TimeMs connect_limit_ms = 2'000;
  TimeMs statement_limit_ms = 10'000;
  TimeMs lock_limit_ms = 5'000;
  TimeMs settle_limit_ms = 10'000;
};

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(PostgresSettings settings);
  ~PostgresStore() override;

  // Waits for both connections: for the start of a service, which should say why it cannot.
  // Optional.
  Status connect();

  void commit(Batch batch, Committed done) override;
  void load(std::vector<Table const*> tables, Loaded done) override;
  void find(Query query, Found done) override;

 private:
  Post post_;
  std::string schema_;
  LoadViews load_views_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Worker> write_;  // after writer_: its thread ends first
  std::unique_ptr<Worker> read_;
};

}  // namespace lepton::store
