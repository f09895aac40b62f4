#pragma once
// The two sides of the comparison: the store with its promises (lease, marker, answers through a
// thread) and a bare libpq connection that sends ready-made COPY data. Rows per second of one
// round.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "common/store/lease.hpp"
#include "common/store/postgres_store.hpp"

struct pg_conn;

namespace lepton::bench {

struct Work {
  std::size_t batch_rows;
  std::size_t batches;
};

class StoreSide {
 public:
  static Result<std::unique_ptr<StoreSide>> open(Secret<std::string> const& url);
  Result<double> appends(Work work);
  // Half of the rows replace others, half are new.
  Result<double> upserts(Work work);

 private:
  Result<double> measure(std::vector<store::Batch> batches, std::size_t rows);
  store::CommitResult commit(store::Batch batch);

  std::unique_ptr<store::Lease> lease_;
  std::unique_ptr<store::PostgresStore> store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> answer_;
};

class CopySide {
 public:
  static Result<std::unique_ptr<CopySide>> open(Secret<std::string> const& url);
  ~CopySide();
  Result<double> appends(Work work);
  Status empty_both();

 private:
  CopySide() = default;
  bool copy(std::string const& data);
  pg_conn* connection_ = nullptr;
};

}  // namespace lepton::bench
