#include "common/actor/outlet.hpp"
#include "common/base/planted.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace lepton::actor {

Outlet::Outlet(std::string stream, std::vector<std::string> consumers, Settings settings)
    : stream_(std::move(stream)), settings_(settings) {
  for (auto& consumer : consumers) acked_[std::move(consumer)] = 0;
}

void Outlet::restore(std::optional<StreamRow> const& row, std::vector<CursorRow> const& cursors,
                     std::vector<EventRow> newest) {
  epoch_ = row ? row->epoch : 1;
  head_ = row ? row->head : 0;
  for (auto& [consumer, acked] : acked_) acked = 0;
  for (auto const& cursor : cursors) {
    auto const known = acked_.find(cursor.consumer);
    if (cursor.stream == stream_ && known != acked_.end()) known->second = cursor.acked;
  }
  kept_.assign(std::make_move_iterator(newest.begin()), std::make_move_iterator(newest.end()));
  if (!kept_.empty()) head_ = std::max(head_, kept_.back().seq);
  next_ = planted("sequence_by_bigserial") ? std::max(next_, head_ + 1) : head_ + 1;
}

EventRow Outlet::number(std::string topic, std::string body, std::int64_t at_ms) {
  return {stream_, next_++, std::move(topic), Bytes{std::move(body)}, at_ms};
}

void Outlet::committed(EventRow row) {
  LEPTON_CHECK(row.seq == head_ + 1 || planted("sequence_by_bigserial"),
               "events of a stream must be committed in the order of numbers");
  head_ = row.seq;
  kept_.push_back(std::move(row));
  if (kept_.size() > settings_.kept_max) kept_.pop_front();
}

Outlet::Page Outlet::page(std::int64_t epoch, std::int64_t after, std::size_t limit) const {
  Page page;
  if ((epoch != epoch_ && epoch != 0) || after > head_) {
    page.reset = true;
    return page;
  }
  if (after >= head_) return page;
  if (kept_.empty() || kept_.front().seq > after + 1) {
    page.in_rows = true;
    return page;
  }
  auto const first = static_cast<std::size_t>(after + 1 - kept_.front().seq);
  for (auto i = first; i < kept_.size() && page.events.size() < limit; ++i)
    page.events.push_back({kept_[i].seq, kept_[i].topic, kept_[i].body, kept_[i].at_ms});
  return page;
}

bool Outlet::acknowledge(std::string const& consumer, std::int64_t seq) {
  auto const known = acked_.find(consumer);
  if (known == acked_.end() || seq <= known->second || seq > head_) return false;
  known->second = seq;
  return true;
}

std::int64_t Outlet::acknowledged() const {
  std::int64_t least = head_;
  for (auto const& [consumer, acked] : acked_) least = std::min(least, acked);
  return least;
}

std::optional<std::int64_t> Outlet::acknowledged_by(std::string const& consumer) const {
  auto const known = acked_.find(consumer);
  if (known == acked_.end()) return std::nullopt;
  return known->second;
}

}  // namespace lepton::actor
