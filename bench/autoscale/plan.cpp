#include "bench/autoscale/plan.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "common/base/check.hpp"

namespace lepton::bench {

std::vector<Step> levels(std::vector<double> const& arrivals_s, double service_s) {
  std::vector<std::pair<double, int>> events;
  events.reserve(arrivals_s.size() * 2);
  for (auto t : arrivals_s) {
    events.emplace_back(t, 1);
    events.emplace_back(t + service_s, -1);
  }
  std::sort(events.begin(), events.end());
  std::vector<Step> steps;
  steps.reserve(events.size());
  int n = 0;
  for (auto const& [at, change] : events) steps.push_back({at, n += change});
  return steps;
}

namespace {

int replicas_for(int in_flight, int slots) {
  return (in_flight + slots - 1) / slots;
}

// The on and off times of replica 1, 2, ...
class Ledger {
 public:
  Ledger(double cold_s, int min) : cold_s_(cold_s), min_(min) {}

  void open(double t) {
    ++current_;
    auto const k = static_cast<std::size_t>(current_);
    if (replicas_.size() <= k) replicas_.resize(k + 1);
    auto& r = replicas_[k];
    if (r.off && t - *r.off <= cold_s_) {
      r.on = *r.off;  // bridged
    } else {
      auto const paid = r.off || (t > 0 && current_ > min_);
      r.on = t;
      if (paid) plan_.starts += 1, seconds_ += r.off ? cold_s_ : std::min(cold_s_, t);
    }
    plan_.peak = std::max(plan_.peak, current_);
  }

  void close(double t) {
    auto& r = replicas_[static_cast<std::size_t>(current_--)];
    seconds_ += t - r.on;
    r.off = t;
  }

  int current() const { return current_; }
  Plan plan() {
    plan_.replica_hours = seconds_ / 3600;
    return plan_;
  }

 private:
  struct Replica {
    double on = 0;
    std::optional<double> off;
  };
  double cold_s_;
  int min_;
  std::vector<Replica> replicas_;
  int current_ = 0;
  double seconds_ = 0;
  Plan plan_;
};

}  // namespace

int peak_replicas(std::vector<Step> const& steps, int slots) {
  int peak = 1;
  for (auto const& step : steps) peak = std::max(peak, replicas_for(step.in_flight, slots));
  return peak;
}

Plan oracle(std::vector<Step> const& steps, int slots, double cold_s, double length_s, int min) {
  LEPTON_CHECK(!steps.empty(), "a plan needs at least one request");
  Ledger ledger(cold_s, min);
  for (auto const& step : steps) {
    auto const needed = std::max(min, replicas_for(step.in_flight, slots));
    while (ledger.current() < needed) ledger.open(step.at_s);
    while (ledger.current() > needed) ledger.close(step.at_s);
  }
  auto const end = steps.back().at_s;
  while (ledger.current() > 0)
    ledger.close(ledger.current() <= min ? std::max(length_s, end) : end);
  return ledger.plan();
}

}  // namespace lepton::bench
