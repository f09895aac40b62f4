#include "common/actor/asks.hpp"

#include <algorithm>

namespace lepton::actor {

bool Asks::has_credit(std::string const& peer) const {
  auto const out = out_.find(peer);
  return out == out_.end() || out->second < settings_.window;
}

Asks::Ask const& Asks::add(Ask ask, TimeMs now, Chance& chance) {
  budget_ = std::min(budget_ + settings_.budget_ratio, 1000.0);
  ++out_[ask.peer];
  auto const first = static_cast<std::uint64_t>(settings_.resend_first_ms);
  ask.resend_at = now + ask.patience_ms + static_cast<TimeMs>(first / 2 + chance.below(first));
  auto const id = ask.id;
  auto& kept = asks_[id] = std::move(ask);
  agenda_.emplace(std::min(kept.resend_at, kept.deadline_at), id);
  return kept;
}

Asks::Ask const* Asks::find(std::string const& id) const {
  auto const found = asks_.find(id);
  return found == asks_.end() ? nullptr : &found->second;
}

std::optional<Asks::Ask> Asks::take(std::string const& id) {
  auto const found = asks_.find(id);
  if (found == asks_.end()) return std::nullopt;
  Ask ask = std::move(found->second);
  asks_.erase(found);
  if (--out_[ask.peer] == 0) out_.erase(ask.peer);
  return ask;
}

std::vector<Asks::Ask> Asks::expired(TimeMs now) {
  std::vector<std::string> ids;
  for (auto it = agenda_.begin(); it != agenda_.end() && it->first <= now; ++it) {
    auto const ask = asks_.find(it->second);
    if (ask != asks_.end() && ask->second.deadline_at <= now) ids.push_back(it->second);
  }
  std::vector<Ask> gone;
  for (auto const& id : ids)
    if (auto ask = take(id)) gone.push_back(std::move(*ask));
  return gone;
}

void Asks::reschedule(Ask& ask, TimeMs at) {
  ask.resend_at = at;
  agenda_.emplace(std::min(at, ask.deadline_at), ask.id);
}

std::vector<Asks::Ask const*> Asks::resends(TimeMs now, Chance& chance) {
  auto const earned = static_cast<double>(now - budget_at_) / 1000.0 * settings_.budget_floor_per_s;
  budget_ = std::min(budget_ + std::max(0.0, earned), 1000.0);
  budget_at_ = now;
  std::vector<std::string> due;
  while (!agenda_.empty() && agenda_.begin()->first <= now) {
    due.push_back(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
  }
  std::vector<Ask const*> again;
  for (auto const& id : due) {
    auto const found = asks_.find(id);
    if (found == asks_.end()) continue;
    auto& ask = found->second;
    auto const step =
        std::min(settings_.resend_max_ms, settings_.resend_first_ms << std::min(ask.attempt, 10u));
    auto const wait = static_cast<TimeMs>(chance.below(static_cast<std::uint64_t>(step))) + 50;
    if (budget_ >= 1.0) {
      budget_ -= 1.0;
      ++ask.attempt;
      again.push_back(&ask);
    }
    reschedule(ask, now + ask.patience_ms + wait);
  }
  return again;
}

std::optional<TimeMs> Asks::next_at() const {
  if (agenda_.empty()) return std::nullopt;
  return agenda_.begin()->first;
}

}  // namespace lepton::actor
