#pragma once
// Alerts on their way out: what is posted next, and when it is tried again. Tries are bounded;
// firing alerts are told again after a while, so that a receiver which was away learns of them.
// Pure, one thread. Times: TimeMs.

#include <deque>
#include <vector>

#include "schemas/monitor_alert.hpp"

namespace lepton::monitor {

struct PostRules {
  std::size_t waiting_max = 1'000;
  std::size_t batch_max = 100;
  std::uint32_t tries_max = 8;
  TimeMs retry_first_ms = 1'000;  // doubles
  TimeMs retry_max_ms = 60'000;
  TimeMs repeat_ms = 60'000;
};

class AlertPost {
 public:
  explicit AlertPost(PostRules rules = {}) : rules_(rules) {}

  void add(AlertChange const& change);
  // Those that fire, when it is time to tell them again.
  bool is_repeat_due(TimeMs now_ms) const { return now_ms >= repeat_at_; }
  void repeat(std::vector<AlertChange> const& firing, TimeMs now_ms);

  // The next batch, when none is out and it is time; empty else.
  std::vector<AlertChange> take(TimeMs now_ms);
  void delivered();
  void failed(TimeMs now_ms);

  std::size_t waiting() const { return waiting_.size() + out_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t sent() const { return sent_; }

 private:
  PostRules rules_;
  std::deque<AlertChange> waiting_;
  std::vector<AlertChange> out_;
  bool is_out_ = false;
  std::uint32_t tries_ = 0;  // of the batch at hand
  TimeMs next_at_ = 0;
  TimeMs repeat_at_ = 0;
  std::uint64_t dropped_ = 0, sent_ = 0;
};

}  // namespace lepton::monitor
