#include "services/deployer/core/ports.hpp"

#include <bit>

#include "common/base/check.hpp"

namespace lepton::deployer {

namespace {
constexpr std::uint64_t bit(std::uint32_t i) {
  return std::uint64_t{1} << (i % 64);
}
}  // namespace

bool Ports::is_free(std::uint32_t port) const {
  if (!contains(port)) return false;
  auto const i = port - first_;
  return bits_.empty() || (bits_[i / 64] & bit(i)) == 0;
}

void Ports::take(std::uint32_t port) {
  LEPTON_CHECK(is_free(port), "a port is given out twice");
  if (bits_.empty()) bits_.resize((count_ + 63) / 64);
  auto const i = port - first_;
  bits_[i / 64] |= bit(i);
  ++used_;
}

void Ports::give(std::uint32_t port) {
  LEPTON_CHECK(contains(port) && !is_free(port), "a port is given back that nobody held");
  auto const i = port - first_;
  bits_[i / 64] &= ~bit(i);
  --used_;
}

std::vector<std::uint32_t> Ports::lowest_free(std::uint32_t wanted) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < count_ && found.size() < wanted; ++i) {
    if (!bits_.empty() && i % 64 == 0 && bits_[i / 64] == ~std::uint64_t{0}) {
      i += 63;
      continue;
    }
    if (is_free(first_ + i)) found.push_back(first_ + i);
  }
  return found;
}

std::optional<std::uint32_t> Ports::lowest_free_run(std::uint32_t wanted) const {
  std::uint32_t run = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    run = is_free(first_ + i) ? run + 1 : 0;
    if (run == wanted) return first_ + i + 1 - run;
  }
  return std::nullopt;
}

std::uint32_t Ports::counted_used() const {
  std::uint32_t n = 0;
  for (auto word : bits_) n += static_cast<std::uint32_t>(std::popcount(word));
  return n;
}

}  // namespace lepton::deployer
