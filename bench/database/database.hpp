#pragma once
// A private PostgreSQL with default durability for one run of a benchmark, in a temporary folder
// that goes with it. One thread, which must outlive it. The server inherits the scheduling of the
// thread that starts it.

#include <memory>
#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/postgres/embedded.hpp"
#include "common/postgres/migrate.hpp"

namespace lepton::bench {

class Database {
 public:
  static Result<std::unique_ptr<Database>> start();
  ~Database();
  Secret<std::string> url() const;

 private:
  Database() = default;
  std::string folder_;
  std::unique_ptr<postgres::EmbeddedPostgres> postgres_;
};

// One schema per table definition: the platform's tables (schemas/sql, from the root of the
// project) and then these.
struct BenchSchema {
  std::string name;
  std::string definition;
};
Status create_schemas(Secret<std::string> const& url, std::vector<BenchSchema> const& schemas);

}  // namespace lepton::bench
