// Probes of the attempts that run here: asked when due, their word goes out with the next sync.

#include "services/node/node.hpp"

namespace lepton::node {

void Node::take_probe(ProbeOrder const& order, Context& c) {
  auto const& attempt = order.attempt.value;
  auto const found = attempts_.find(attempt);
  if (!prober_ || found == attempts_.end() || found->second.final || probed_.contains(attempt))
    return;
  probed_.emplace(attempt, Probed{Probing(order.probes), order.task.value, order.port});
  has_news_ = true;
  if (!std::exchange(probing_, true)) probe(c);
}

void Node::probe(Context& c) {
  for (auto const& done : prober_->done()) take_answer(done, c);
  std::erase_if(probed_, [this](auto const& entry) {
    auto const found = attempts_.find(entry.first);
    return found == attempts_.end() || found->second.final;
  });
  for (auto& [attempt, probed] : probed_)
    for (auto const role : probed.machine.due(c.now()))
      if (!prober_->begin({attempt, role, probed.machine.probe(role), probed.port}))
        probed.machine.put_back(role);
  probing_ = !probed_.empty();
  if (probing_) c.after(settings_.probe_ms, [this](Context& later) { probe(later); });
  if (has_news_) news(c);
}

// A replica that has failed is ended here; who placed it sees why, and replaces it.
void Node::take_answer(ProbeDone const& done, Context& c) {
  auto const found = probed_.find(done.attempt);
  if (found == probed_.end()) return;
  auto& probed = found->second;
  auto const before = probed.machine.readiness();
  auto const was_failed = probed.machine.failed().has_value();
  probed.machine.take(done.role, done.good, done.why);
  if (probed.machine.readiness() != before) has_news_ = true;
  if (probed.machine.failed() && !was_failed) {
    feed(done.attempt, input::StopWanted{done.attempt, probed.task, *probed.machine.failed()}, c);
    work(c);
  }
}

Readiness Node::readiness_of(std::string const& attempt) const {
  auto const found = probed_.find(attempt);
  return found == probed_.end() ? Readiness::unknown : found->second.machine.readiness();
}

}  // namespace lepton::node
