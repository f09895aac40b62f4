#include "bench/autoscale/model.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "bench/autoscale/replica_pool.hpp"

namespace lepton::bench {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class Replay {
 public:
  Replay(Arrivals const& arrivals, ServiceModel const& model, Scaler const& scaler)
      : arrivals_(arrivals),
        model_(model),
        scaler_(scaler),
        by_load_(static_cast<std::size_t>(model.slots) + 1) {}

  Outcome run(std::uint32_t at_begin) {
    for (std::uint32_t i = 0; i < at_begin; ++i) {
      become_ready(create(0));
    }
    outcome_.peak = static_cast<int>(asked_);
    while (step()) {
    }
    for (auto const& r : replicas_)
      if (r.state != State::gone) seconds_ += std::max(0.0, now_ - r.born_s);
    return finish();
  }

 private:
  enum class State : std::uint8_t { starting, ready, draining, gone };
  struct Replica {
    double born_s = 0;
    State state = State::starting;
    int in_flight = 0;
  };

  double next_arrival() const {
    return arrived_ < arrivals_.at_s.size() ? arrivals_.at_s[arrived_] : never;
  }
  bool all_served() const { return arrived_ == arrivals_.at_s.size() && queue_.empty(); }

  // One event. False when the run is over.
  bool step() {
    auto const arrival = next_arrival();
    auto const completion = completions_.empty() ? never : completions_.front().first;
    auto const readiness = starts_.empty() ? never : starts_.front().first;
    auto const sample = static_cast<double>(second_);
    auto const t = std::min({arrival, completion, readiness, sample});
    if (t > arrivals_.length_s && all_served() && t != sample) return false;
    auto const waiting = static_cast<double>(queue_.size());
    area_ += (busy_ + waiting) * (t - now_);
    busy_area_ += busy_ * (t - now_);
    now_ = t;
    if (completion <= t) return complete(), true;
    if (readiness <= t) return start_ends(), true;
    if (arrival <= t) return arrive(arrival), true;
    return second();
  }

  std::int32_t create(double t) {
    auto const id = static_cast<std::int32_t>(replicas_.size());
    replicas_.push_back({t, State::starting, 0});
    starting_.insert(id);
    ++asked_;
    return id;
  }

  void become_ready(std::int32_t id) {
    starting_.erase(id);
    ready_.insert(id);
    at(id).state = State::ready;
    by_load_[0].add(id);
  }

  void complete() {
    auto const id = completions_.front().second;
    completions_.pop_front();
    auto& r = at(id);
    if (r.state == State::ready) {
      load(r.in_flight).remove(id);
      load(--r.in_flight).add(id);
      --busy_;
      dispatch();
    } else if (--r.in_flight == 0) {
      bury(r);
    }
  }

  void start_ends() {
    auto const id = starts_.front().second;
    starts_.pop_front();
    if (at(id).state != State::starting) return;
    become_ready(id);
    dispatch();
  }

  void arrive(double t) {
    queue_.push_back(t);
    ++arrived_;
    ++arrivals_in_second_;
    dispatch();
    if (asked_ == 0) scale_to(1);
  }

  void dispatch() {
    while (!queue_.empty()) {
      int in_flight = 0;
      while (in_flight < model_.slots && load(in_flight).empty()) ++in_flight;
      if (in_flight == model_.slots) return;
      auto const id = load(in_flight).draw();
      load(in_flight + 1).add(id);
      at(id).in_flight = in_flight + 1;
      waits_.push_back(now_ - queue_.front());
      queue_.pop_front();
      ++busy_;
      completions_.emplace_back(now_ + model_.service_s, id);
    }
  }

  bool second() {
    auto const now_ms = second_ * 1000;
    signals_[scaler::Signal::concurrency].add(now_ms, area_);
    signals_[scaler::Signal::cpu].add(now_ms, busy_area_ / model_.slots);
    signals_[scaler::Signal::requests_per_s].add(now_ms, arrivals_in_second_);
    area_ = busy_area_ = 0;
    arrivals_in_second_ = 0;
    if (second_ % scaler_.every_s == 0) {
      auto const n = [](auto const& ids) { return static_cast<std::uint32_t>(ids.size()); };
      scale_to(scaler_.ask({asked_, n(ready_), n(starting_), 0, signals_}, now_ms));
    }
    ++second_;
    constexpr double patience_s = 36'000;
    auto const t = static_cast<double>(second_);
    return !(t > arrivals_.length_s && all_served()) && t <= arrivals_.length_s + patience_s;
  }

  void scale_to(std::uint32_t wanted) {
    wanted = std::clamp(wanted, model_.min, model_.max);
    while (asked_ < wanted) {
      starts_.emplace_back(now_ + model_.cold_s, create(now_));
      ++outcome_.starts;
    }
    while (asked_ > wanted) remove_one();
    outcome_.peak = std::max(outcome_.peak, static_cast<int>(asked_));
  }

  void remove_one() {
    --asked_;
    auto& from = starting_.empty() ? ready_ : starting_;
    auto const id = *from.rbegin();
    from.erase(id);
    auto& r = at(id);
    if (r.state == State::ready) load(r.in_flight).remove(id);
    busy_ -= r.in_flight;
    if (r.in_flight == 0) return bury(r);
    r.state = State::draining;
  }

  void bury(Replica& r) {
    r.state = State::gone;
    seconds_ += now_ - r.born_s;
  }

  Outcome finish() {
    waits_.insert(waits_.end(), queue_.size(), never);
    std::sort(waits_.begin(), waits_.end());
    outcome_.replica_hours = seconds_ / 3600;
    outcome_.requests = waits_.size();
    if (waits_.empty()) return outcome_;
    auto const late = std::upper_bound(waits_.begin(), waits_.end(), model_.allowed_wait_s + 1e-9);
    outcome_.violations = static_cast<std::uint64_t>(waits_.end() - late);
    auto const rank =
        static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(waits_.size())));
    outcome_.wait_p99_s = waits_[std::min(waits_.size(), std::max<std::size_t>(rank, 1)) - 1];
    outcome_.wait_max_s = waits_.back();
    double sum = 0;
    for (auto wait : waits_) sum += wait;
    outcome_.wait_mean_s = sum / static_cast<double>(waits_.size());
    return outcome_;
  }

  Replica& at(std::int32_t id) { return replicas_[static_cast<std::size_t>(id)]; }
  ReplicaPool& load(int in_flight) { return by_load_[static_cast<std::size_t>(in_flight)]; }

  Arrivals const& arrivals_;
  ServiceModel const& model_;
  Scaler const& scaler_;
  scaler::Signals signals_;
  std::vector<Replica> replicas_;                            // by id
  std::set<std::int32_t> starting_, ready_;                  // ids
  std::vector<ReplicaPool> by_load_;                         // ready ids by requests in flight
  std::deque<double> queue_;                                 // arrival times
  std::deque<std::pair<double, std::int32_t>> completions_;  // one service time: by rising time
  std::deque<std::pair<double, std::int32_t>> starts_;       // one cold start: by rising time
  std::vector<double> waits_;
  std::size_t arrived_ = 0;
  std::uint32_t asked_ = 0;
  std::int64_t second_ = 1;
  double now_ = 0, seconds_ = 0;
  double busy_ = 0;  // requests in flight on ready replicas
  double area_ = 0, busy_area_ = 0, arrivals_in_second_ = 0;
  Outcome outcome_;
};

}  // namespace

Scaler scaler_of(scaler::Policy const& policy, scaler::Limits const& limits) {
  auto memory = std::make_shared<scaler::Memory>();
  return {policy.period_ms() / 1000,
          [&policy, &limits, memory](scaler::Observation const& seen, TimeMs now_ms) {
            return scaler::decide(policy, limits, *memory, seen, now_ms).wanted;
          }};
}

Scaler constant(std::uint32_t replicas) {
  return {3600, [replicas](scaler::Observation const&, TimeMs) { return replicas; }};
}

std::uint32_t first_replicas(Arrivals const& arrivals, ServiceModel const& model) {
  auto const end = std::lower_bound(arrivals.at_s.begin(), arrivals.at_s.end(), 60.0);
  auto const count = std::min<std::ptrdiff_t>(end - arrivals.at_s.begin(), 100'000);
  auto const rate = static_cast<double>(count) / 60;
  return std::max(model.min, static_cast<std::uint32_t>(
                                 std::ceil(rate * model.service_s / (0.7 * model.slots))));
}

Outcome replay(Arrivals const& arrivals, ServiceModel const& model, Scaler const& scaler,
               std::uint32_t replicas_at_begin) {
  return Replay(arrivals, model, scaler).run(replicas_at_begin);
}

}  // namespace lepton::bench
