#pragma once
// The one event queue of a simulated world, ordered by (time, order of scheduling). Owned by World;
// one thread.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/base/time.hpp"

namespace lepton::sim {

class Agenda {
 public:
  using Task = std::function<void()>;

  void at(TimeMs when, Task task) {
    heap_.push_back({std::max(when, now_), next_++, std::move(task)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  TimeMs next_at() const { return heap_.front().at; }
  TimeMs now() const { return now_; }
  void set_now(TimeMs now) { now_ = std::max(now_, now); }

  // Takes the earliest event and moves the clock to it; the agenda must not be empty.
  Task take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    auto event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.at;
    return std::move(event.task);
  }

 private:
  struct Event {
    TimeMs at;
    std::uint64_t order;
    Task task;
  };
  static bool later(Event const& a, Event const& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
  std::vector<Event> heap_;
  std::uint64_t next_ = 0;
  TimeMs now_ = 0;
};

}  // namespace lepton::sim
