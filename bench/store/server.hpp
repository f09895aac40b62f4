#pragma once
// A private PostgreSQL with default durability for one run of the benchmark, in a folder that goes
// with it: two tables of the same shape (an audit-like row under three indexes) in the schema of a
// service.

#include <memory>
#include <string>

#include "common/base/secret.hpp"
#include "common/postgres/embedded.hpp"
#include "common/store/store.hpp"

namespace lepton::bench {

inline constexpr char const* schema = "bench";

class Server {
 public:
  static Result<std::unique_ptr<Server>> start();
  ~Server();
  Secret<std::string> url() const;

 private:
  Server() = default;
  std::string folder_;
  std::unique_ptr<postgres::EmbeddedPostgres> postgres_;
};

// Both have the same columns; `theirs` receives plain COPY.
extern store::Table const ours, theirs;

// A row of 300 bytes or so, different for each number.
store::Cells row(std::int64_t number);

}  // namespace lepton::bench
