#pragma once
// The ports of one node that work may be given: a bitmap that takes memory only once a port is
// used. Always hands out the lowest free ones, so that the answer depends on the state alone.
// Owned by Room; one thread.

#include <cstdint>
#include <optional>
#include <vector>

namespace lepton::deployer {

class Ports {
 public:
  Ports(std::uint32_t first = 0, std::uint32_t count = 0) : first_(first), count_(count) {}

  std::uint32_t free() const { return count_ - used_; }
  bool is_free(std::uint32_t port) const;
  void take(std::uint32_t port);
  void give(std::uint32_t port);
  // At most `wanted` free ports, rising.
  std::vector<std::uint32_t> lowest_free(std::uint32_t wanted) const;
  // The first of so many free ones in a row, the lowest there are; nothing: there are none.
  std::optional<std::uint32_t> lowest_free_run(std::uint32_t wanted) const;
  // Counts the bits: what free() must agree with.
  std::uint32_t counted_used() const;

 private:
  bool contains(std::uint32_t port) const { return port >= first_ && port - first_ < count_; }

  std::uint32_t first_;
  std::uint32_t count_;
  std::uint32_t used_ = 0;
  std::vector<std::uint64_t> bits_;  // empty until the first port is taken; 1 means used
};

}  // namespace lepton::deployer
