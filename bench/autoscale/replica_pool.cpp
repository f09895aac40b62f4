#include "bench/autoscale/replica_pool.hpp"

#include "common/base/check.hpp"

namespace lepton::bench {

ReplicaPool::ReplicaPool() : slots_(8, never_used) {}

// Where it is; else where it goes: the freed slot seen last on the way, or the first unused one.
ReplicaPool::Place ReplicaPool::find(std::int32_t id) const {
  constexpr std::size_t neighbours = 9;
  auto const mask = slots_.size() - 1;
  auto perturb = static_cast<std::size_t>(id);
  auto begin = perturb & mask;
  auto reuse = slots_.size();
  for (;;) {
    auto const end = begin + (begin + neighbours <= mask ? neighbours : 0);
    for (auto i = begin; i <= end; ++i) {
      if (slots_[i] == never_used) return {reuse < slots_.size() ? reuse : i, false};
      if (slots_[i] == id) return {i, true};
      if (slots_[i] == freed) reuse = i;
    }
    perturb >>= 5;
    begin = (begin * 5 + 1 + perturb) & mask;
  }
}

void ReplicaPool::add(std::int32_t id) {
  auto const [slot, found] = find(id);
  LEPTON_CHECK(!found, "a replica is in one pool once");
  auto const fresh = slots_[slot] == never_used;
  slots_[slot] = id;
  ++used_;
  if (!fresh) return;
  ++filled_;
  if (filled_ * 5 >= (slots_.size() - 1) * 3) grow();
}

void ReplicaPool::grow() {
  auto const least = used_ > 50'000 ? used_ * 2 : used_ * 4;
  std::size_t size = 8;
  while (size <= least) size *= 2;
  std::vector<std::int32_t> old(size, never_used);
  old.swap(slots_);
  for (auto id : old)
    if (id >= 0) slots_[find(id).slot] = id;
  filled_ = used_;
}

void ReplicaPool::remove(std::int32_t id) {
  auto const [slot, found] = find(id);
  if (!found) return;
  slots_[slot] = freed;
  --used_;
}

std::int32_t ReplicaPool::draw() {
  LEPTON_CHECK(used_ > 0, "an empty pool has no replica to draw");
  auto slot = finger_ & (slots_.size() - 1);
  while (slots_[slot] < 0) slot = slot + 1 == slots_.size() ? 0 : slot + 1;
  auto const id = slots_[slot];
  slots_[slot] = freed;
  --used_;
  finger_ = slot + 1;
  return id;
}

}  // namespace lepton::bench
