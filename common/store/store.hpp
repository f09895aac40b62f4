#pragma once
// The store port: durable rows behind an actor. PostgreSQL implements it for the services, memory
// for the simulation; one contract test holds both together (tests/common/store/contract.hpp).
//
// Threads: all calls come from the thread of the actor runtime, and every answer comes back on that
// thread, through the `post` function that the implementation was given. Nothing here blocks.
// Order: commits take effect in the order of the calls; at most one is in flight per runtime.
// Errors: an outcome (below), never an exception.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/store/cell.hpp"

namespace lepton::store {

enum class Op : std::uint8_t {
  append,   // insert a new row; a row with the same key rejects the whole batch
  upsert,   // insert, or replace the row with the same key
  erase,    // by key: `cells` holds the key cells only; an absent row is no error
  erase_to  // every row whose leading key cells equal cells[0..n-2] and whose next key cell (the
            // n-th key column, a bigint) is <= cells[n-1]: drops the acknowledged head of a log
};

struct Change {
  Op op;
  Table const* table;
  Cells cells;
};

struct Batch {
  std::vector<Change> changes;  // applied in this order
};

enum class Outcome : std::uint8_t {
  committed,
  rejected,     // the rows can never be written (a key twice, a constraint); nothing was applied
  unavailable,  // the store is away; nothing was applied
  in_doubt,     // the connection broke at COMMIT and could not be asked in time
  fenced        // another instance holds the lease: this process must stop writing and exit
};

struct CommitResult {
  Outcome outcome = Outcome::committed;
  std::string why;  // for the log; empty when committed
};

enum class Compare : std::uint8_t { equal, less, less_equal, greater, greater_equal };

struct Condition {
  std::string_view column;
  Compare compare;
  Cell value;
};

struct Query {
  Table const* table;
  std::vector<Condition> where;  // all must hold
  std::string_view order_by;     // empty: by key
  bool descending = false;
  std::size_t limit = 1000;  // always set; load() ignores it
};

class Store {
 public:
  using Committed = std::function<void(CommitResult)>;
  using Loaded = std::function<void(Result<std::vector<std::vector<Cells>>>)>;
  using Found = std::function<void(Result<std::vector<Cells>>)>;

  virtual ~Store() = default;

  // All changes in one transaction, durable before `done` hears committed.
  virtual void commit(Batch batch, Committed done) = 0;
  // All rows of each table by key, from one snapshot; one vector per table.
  virtual void load(std::vector<Table const*> tables, Loaded done) = 0;
  // Rows of one table; sees at least every commit answered before the call.
  virtual void find(Query query, Found done) = 0;
};

}  // namespace lepton::store
