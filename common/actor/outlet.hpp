#pragma once
// The streams that a service writes: gapless numbers, the newest committed events in memory, and
// how far each registered consumer has acknowledged. Rows go when every registered consumer has
// them. Pure; the host owns it.

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/actor/rows.hpp"
#include "schemas/platform.hpp"

namespace lepton::actor {

class Outlet {
 public:
  struct Settings {
    std::size_t kept_max = 20'000;         // committed events in memory
    std::int64_t backlog_max = 1'000'000;  // unacknowledged events before mutations are refused
  };
  Outlet(std::string stream, std::vector<std::string> consumers, Settings settings);

  // State from rows: the stream's own row, its cursors, and its newest event rows in rising order.
  void restore(std::optional<StreamRow> const& row, std::vector<CursorRow> const& cursors,
               std::vector<EventRow> newest);

  EventRow number(std::string topic, std::string body, std::int64_t at_ms);  // not yet committed
  void committed(EventRow row);  // in the order of numbers

  // Events after the cursor from memory; nothing when they are older than memory holds.
  struct Page {
    bool reset = false;
    bool in_rows = false;  // must be read from the event table
    std::vector<EventRecord> events;
  };
  Page page(std::int64_t epoch, std::int64_t after, std::size_t limit) const;

  // A consumer has everything to `seq`; true when that is news.
  bool acknowledge(std::string const& consumer, std::int64_t seq);
  // What every registered consumer has; rows to here may go.
  std::int64_t acknowledged() const;
  std::optional<std::int64_t> acknowledged_by(std::string const& consumer) const;

  std::string const& stream() const { return stream_; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t head() const { return head_; }
  std::int64_t numbered() const {
    return next_ - 1;
  }  // the last that was numbered, committed or not
  bool is_registered(std::string const& consumer) const { return acked_.contains(consumer); }
  bool has_consumers() const { return !acked_.empty(); }
  bool is_full() const { return next_ - 1 - acknowledged() >= settings_.backlog_max; }

 private:
  std::string stream_;
  Settings settings_;
  std::int64_t epoch_ = 1;
  std::int64_t next_ = 1;  // number of the next event
  std::int64_t head_ = 0;  // last committed
  std::map<std::string, std::int64_t> acked_;
  std::deque<EventRow> kept_;
};

}  // namespace lepton::actor
