#include "services/deployer/use_watch.hpp"

#include <algorithm>

namespace lepton::deployer {
namespace {

constexpr TimeMs timeout_ms = 3'000;
constexpr TimeMs fresh_ms = 15'000;

}  // namespace

void UseWatch::ask(std::set<SeriesKey> const& wanted, actor::Context& c) {
  std::erase_if(told_, [&](auto const& t) { return !wanted.contains(t.first); });
  if (wanted.empty() || asking_ || c.now() < ask_at_) return;
  SeriesNewest question;
  for (auto i = next_ ? wanted.upper_bound(*next_) : wanted.begin();
       i != wanted.end() && question.keys.size() < SeriesNewest::keys_max; ++i)
    question.keys.push_back(*i);
  next_.reset();
  if (question.keys.empty())
    return;  // what was left of the last slice is gone; the next one begins
  if (question.keys.back() != *wanted.rbegin()) next_ = question.keys.back();
  asking_ = true;
  if (!next_) ask_at_ = c.now() + every_ms_;
  c.ask("monitor", question, timeout_ms,
        [this, keys = question.keys](Result<SeriesValues> const& got, actor::Context& later) {
          take(keys, got, later);
        });
}

void UseWatch::take(std::vector<SeriesKey> const& keys, Result<SeriesValues> const& got,
                    actor::Context& c) {
  asking_ = false;
  if (!got || got->values.size() != keys.size()) return;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (auto const value = got->values[i].value) told_[keys[i]] = {*value, c.now()};
}

std::optional<double> UseWatch::value(SeriesKey const& key, TimeMs now) const {
  auto const found = told_.find(key);
  if (found == told_.end() || now - found->second.at > fresh_ms) return std::nullopt;
  return found->second.value;
}

}  // namespace lepton::deployer
