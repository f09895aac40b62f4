// What time makes needless goes, a piece at a time: answers of old mutations, and events of streams
// that nobody is registered for.

#include "common/actor/host.hpp"

namespace lepton::actor {
namespace {

constexpr std::size_t piece = 500;  // rows in one transaction
constexpr TimeMs rest_ms = 60'000;
constexpr TimeMs between_pieces_ms = 200;  // 2,500 rows a second, more than a service is asked

}  // namespace

void Host::purge_later(TimeMs wait_ms) {
  timers_.emplace(now() + wait_ms, [this](Context& c) { purge(c); });
}

void Host::begin_purging() {
  unread_dropped_.clear();
  if (settings_.durable) purge_later(rest_ms);
}

void Host::purge(Context& c) {
  drop_unread(c.out);
  store::Query query{
      nullptr,
      {{"at_ms", store::Compare::less, store::Cell(wall() - settings_.recorded_for_ms)}},
      "at_ms",
      false,
      piece};
  c.find<RequestRow>(query, [this](Result<std::vector<RequestRow>> old, Context& later) {
    if (old)
      for (auto const& row : *old) later.erase(row);
    purge_later(old && old->size() == piece ? between_pieces_ms : rest_ms);
  });
}

// A reader without a cursor that comes later than these begins with a snapshot.
void Host::drop_unread(Outbox& out) {
  for (auto const& outlet : outlets_) {
    auto const last = outlet.head() - static_cast<std::int64_t>(settings_.outlet.kept_max);
    if (outlet.has_consumers() || last <= unread_dropped_[outlet.stream()]) continue;
    unread_dropped_[outlet.stream()] = last;
    out.changes.push_back({store::Op::upsert, &store::table_of<StreamRow>(),
                           store::to_cells(StreamRow{outlet.stream(), outlet.epoch(), last})});
    out.changes.push_back({store::Op::erase_to,
                           &store::table_of<EventRow>(),
                           {store::Cell(outlet.stream()), store::Cell(last)}});
  }
}

}  // namespace lepton::actor
