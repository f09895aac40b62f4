#include "services/monitor/core/series_book.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lepton::monitor {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t hour_told_every = 10;  // minutes
constexpr double value_max = 1e15;

WallMs begin_of(WallMs at_ms, std::int64_t span_ms) {
  return at_ms - ((at_ms % span_ms) + span_ms) % span_ms;
}

}  // namespace

void Tally::add(double value) {
  low = samples == 0 ? value : std::min(low, value);
  high = samples == 0 ? value : std::max(high, value);
  sum += value;
  ++samples;
}

void Tally::add(Tally const& other) {
  if (other.samples == 0) return;
  low = samples == 0 ? other.low : std::min(low, other.low);
  high = samples == 0 ? other.high : std::max(high, other.high);
  sum += other.sum;
  samples += other.samples;
}

Rollup Tally::rollup() const {
  // Rounding must not carry the mean out of the range of the samples.
  auto const mean = samples == 0 ? 0 : std::clamp(sum / samples, low, high);
  return {at_ms, samples, mean, low, high};
}

Tally Tally::of(Rollup const& r) {
  return {r.at_ms, r.samples, r.mean * r.samples, r.low, r.high};
}

SeriesBook::Entry* SeriesBook::find_or_make(std::string const& node, Key const& key) {
  auto const known = nodes_.find(node);
  if (known != nodes_.end())
    if (auto const entry = known->second.find(key); entry != known->second.end())
      return &entry->second;
  auto const of_node = known == nodes_.end() ? 0 : known->second.size();
  if (size_ >= limits_.series_max || of_node >= limits_.series_per_node_max ||
      key.second.size() > limits_.part_bytes_max)
    return nullptr;
  ++size_;
  return &nodes_[node]
              .emplace(key, Entry{Recent(limits_.samples_kept), 0, {}, {}, false})
              .first->second;
}

bool SeriesBook::add(std::string const& node, Measure const& m, TimeMs at_ms, WallMs wall_ms) {
  auto const good = m.series != Series::unknown && std::abs(m.value) <= value_max;
  auto* entry = good ? find_or_make(node, {m.series, m.part}) : nullptr;
  if (entry == nullptr || !entry->recent.add(at_ms, m.value)) {
    ++refused_;
    return false;
  }
  entry->newest_ms = at_ms;
  auto const minute = begin_of(wall_ms, minute_ms);
  if (entry->minute.samples > 0 && entry->minute.at_ms != minute)
    close_minute(node, {m.series, m.part}, *entry);
  entry->minute.at_ms = minute;
  entry->minute.add(m.value);
  return true;
}

void SeriesBook::resume(DueRollup const& known) {
  auto* entry = find_or_make(known.node, {known.series, known.part});
  if (entry != nullptr && entry->hour.samples == 0) entry->hour = Tally::of(known.rollup);
}

void SeriesBook::tell(std::string const& node, Key const& key, RollupSpan span,
                      Tally const& tally) {
  if (due_.size() >= limits_.due_max) {
    ++refused_;
    return;
  }
  due_.push_back({node, key.first, key.second, span, tally.rollup()});
}

void SeriesBook::tell_hour(std::string const& node, Key const& key, Entry& entry) {
  if (std::exchange(entry.hour_changed, false)) tell(node, key, RollupSpan::hour, entry.hour);
}

void SeriesBook::close_minute(std::string const& node, Key const& key, Entry& entry) {
  auto const minute = std::exchange(entry.minute, {});
  tell(node, key, RollupSpan::minute, minute);
  auto const hour = begin_of(minute.at_ms, hour_ms);
  if (entry.hour.samples > 0 && entry.hour.at_ms != hour) {
    tell_hour(node, key, entry);
    entry.hour = {};
  }
  entry.hour.at_ms = hour;
  entry.hour.add(minute);
  entry.hour_changed = true;
  if ((minute.at_ms - hour) / minute_ms % hour_told_every == hour_told_every - 1)
    tell_hour(node, key, entry);
}

bool SeriesBook::settle(std::string const& node, Key const& key, Entry& entry, TimeMs now_ms,
                        WallMs wall_ms) {
  if (entry.minute.samples > 0 && entry.minute.at_ms + minute_ms <= wall_ms)
    close_minute(node, key, entry);
  if (now_ms - entry.newest_ms < limits_.idle_ms || entry.minute.samples > 0) return false;
  if (entry.recent.size() > 0) entry.recent = Recent(limits_.samples_kept);
  if (entry.hour.samples > 0 && entry.hour.at_ms + hour_ms > wall_ms) {
    tell_hour(node, key, entry);
    return false;
  }
  tell_hour(node, key, entry);
  return true;
}

// Whole nodes, beginning where the last look ended, until enough were seen.
void SeriesBook::look(TimeMs now_ms, WallMs wall_ms) {
  std::size_t looks = 0;
  auto node = nodes_.lower_bound(next_);
  while (node != nodes_.end() && looks < looks_max) {
    auto& entries = node->second;
    looks += entries.size();
    for (auto entry = entries.begin(); entry != entries.end();) {
      auto const over = settle(node->first, entry->first, entry->second, now_ms, wall_ms);
      size_ -= over ? 1 : 0;
      entry = over ? entries.erase(entry) : std::next(entry);
    }
    node = entries.empty() ? nodes_.erase(node) : std::next(node);
  }
  next_ = node == nodes_.end() ? "" : node->first;
}

std::vector<DueRollup> SeriesBook::collect(TimeMs now_ms, WallMs wall_ms, std::size_t max) {
  if (due_.size() < max) look(now_ms, wall_ms);
  auto const count = std::min(max, due_.size());
  auto const end = due_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<DueRollup> out(std::make_move_iterator(due_.begin()), std::make_move_iterator(end));
  due_.erase(due_.begin(), end);
  return out;
}

std::vector<Measure> SeriesBook::newest(std::string const& node, TimeMs now_ms,
                                        TimeMs age_max_ms) const {
  std::vector<Measure> out;
  auto const found = nodes_.find(node);
  if (found == nodes_.end()) return out;
  for (auto const& [key, entry] : found->second)
    if (auto const sample = entry.recent.newest(); sample && now_ms - sample->at_ms <= age_max_ms)
      out.push_back({key.first, key.second, sample->value});
  return out;
}

std::optional<double> SeriesBook::value(std::string const& node, Series series,
                                        std::string const& part, TimeMs now_ms,
                                        TimeMs age_max_ms) const {
  auto const of_node = nodes_.find(node);
  if (of_node == nodes_.end()) return std::nullopt;
  auto const entry = of_node->second.find({series, part});
  auto const sample = entry == of_node->second.end() ? std::nullopt : entry->second.recent.newest();
  if (!sample || now_ms - sample->at_ms > age_max_ms) return std::nullopt;
  return sample->value;
}

}  // namespace lepton::monitor
