#pragma once
// Replicas with equally many requests in flight; which of them gets the next request is part of the
// queue model, because the newest replica goes first and drains what it has. The reference figures
// were made with a model that draws from a hash set of numbers, so this draws in the same order:
// open addressing with the number as its hash, ten neighbouring slots per probe, a freed slot used
// again, and a finger that goes round the table. One thread.

#include <cstdint>
#include <vector>

namespace lepton::bench {

class ReplicaPool {
 public:
  ReplicaPool();
  bool empty() const { return used_ == 0; }
  void add(std::int32_t id);     // not yet in the pool
  void remove(std::int32_t id);  // nothing happens when it is not in the pool
  std::int32_t draw();           // the pool must not be empty

 private:
  static constexpr std::int32_t never_used = -1, freed = -2;
  struct Place {
    std::size_t slot;
    bool found;
  };
  Place find(std::int32_t id) const;
  void grow();

  std::vector<std::int32_t> slots_;
  std::size_t filled_ = 0;  // in use or freed
  std::size_t used_ = 0;
  std::size_t finger_ = 0;
};

}  // namespace lepton::bench
