#include "services/scaler/core/memory.hpp"

#include <algorithm>

namespace lepton::scaler {

Memory Memory::after_loss(std::uint32_t replicas, TimeMs now_ms) {
  Memory memory;
  memory.recommendations.push_back({now_ms, replicas});
  if (replicas > 1) {
    memory.panic_at_ms = now_ms;
    memory.panic_peak = replicas;
  }
  return memory;
}

void Memory::recommend(TimeMs now_ms, std::uint32_t replicas, std::int64_t keep_ms) {
  std::erase_if(recommendations, [&](auto const& r) { return r.at_ms <= now_ms - keep_ms; });
  if (recommendations.size() >= entries_max) recommendations.erase(recommendations.begin());
  recommendations.push_back({now_ms, replicas});
}

void Memory::change(TimeMs now_ms, std::uint32_t from, std::uint32_t to) {
  if (from == to) return;
  std::erase_if(changes, [&](auto const& c) { return c.at_ms <= now_ms - period_max_ms; });
  if (changes.size() >= entries_max) {
    auto const oldest = changes.front();
    changes.erase(changes.begin());
    changes.front().added += oldest.added;
    changes.front().removed += oldest.removed;
  }
  changes.push_back({now_ms, to > from ? to - from : 0, from > to ? from - to : 0});
}

std::uint32_t Memory::added_in(TimeMs now_ms, std::int64_t length_ms) const {
  std::uint32_t sum = 0;
  for (auto i = changes.rbegin(); i != changes.rend() && i->at_ms > now_ms - length_ms; ++i)
    sum += i->added;
  return sum;
}

std::uint32_t Memory::removed_in(TimeMs now_ms, std::int64_t length_ms) const {
  std::uint32_t sum = 0;
  for (auto i = changes.rbegin(); i != changes.rend() && i->at_ms > now_ms - length_ms; ++i)
    sum += i->removed;
  return sum;
}

std::optional<TimeMs> Memory::last_change_ms() const {
  if (changes.empty()) return std::nullopt;
  return changes.back().at_ms;
}

}  // namespace lepton::scaler
