#include "services/monitor/core/alert_post.hpp"

#include <algorithm>
#include <iterator>

namespace lepton::monitor {
namespace {

bool is_same(AlertChange const& a, AlertChange const& b) {
  return a.rule == b.rule && a.node == b.node && a.part == b.part;
}

}  // namespace

// The newest of an alert counts: what waits of the same one is replaced.
void AlertPost::add(AlertChange const& change) {
  std::erase_if(waiting_, [&](auto const& old) { return is_same(old, change); });
  if (waiting_.size() >= rules_.waiting_max) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back(change);
}

void AlertPost::repeat(std::vector<AlertChange> const& firing, TimeMs now_ms) {
  repeat_at_ = now_ms + rules_.repeat_ms;
  for (auto const& alert : firing) add(alert);
}

std::vector<AlertChange> AlertPost::take(TimeMs now_ms) {
  if (is_out_ || now_ms < next_at_) return {};
  if (out_.empty()) {
    auto const count = std::min(rules_.batch_max, waiting_.size());
    auto const end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    out_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    tries_ = 0;
  }
  is_out_ = !out_.empty();
  return out_;
}

void AlertPost::delivered() {
  is_out_ = false;
  sent_ += out_.size();
  out_.clear();
}

void AlertPost::failed(TimeMs now_ms) {
  is_out_ = false;
  auto pause = rules_.retry_first_ms;
  for (std::uint32_t i = 0; i < tries_ && pause < rules_.retry_max_ms; ++i) pause *= 2;
  next_at_ = now_ms + std::min(pause, rules_.retry_max_ms);
  if (++tries_ < rules_.tries_max) return;
  dropped_ += out_.size();
  out_.clear();
}

}  // namespace lepton::monitor
