#include "services/node/reporter.hpp"

#include <algorithm>
#include <iterator>

namespace lepton::node {

Reporter::Reporter(ReporterSettings settings, std::shared_ptr<Meter> meter,
                   std::shared_ptr<NodeState const> ordered)
    : settings_(std::move(settings)), meter_(std::move(meter)), ordered_(std::move(ordered)) {}

std::map<std::string, std::int64_t> Reporter::counters() const {
  return {{"reports", reports_},
          {"samples_waiting", static_cast<std::int64_t>(samples_.size())},
          {"samples_dropped", static_cast<std::int64_t>(dropped_)}};
}

// One measurement at a time: a driver that is slow must not make them pile up. The node still says
// that it lives.
void Reporter::tick(Context& c) {
  c.after(settings_.sample_every_ms, [this](Context& later) { tick(later); });
  if (measuring_) return send(c);
  measuring_ = true;
  auto measured = std::make_shared<Measured>();
  c.work([meter = meter_, measured] { *measured = meter->measure(); },
         [this, measured](Context& later) { take(std::move(*measured), later); });
}

void Reporter::take(Measured measured, Context& c) {
  constexpr std::size_t detail_bytes_max = 500;
  measuring_ = false;
  detail_ = measured.detail.substr(0, detail_bytes_max);
  if (measured.values.size() > settings_.values_max) {
    measured.values.resize(settings_.values_max);
    detail_ = "there is more to measure than one report holds";
  }
  samples_.push_back({c.now(), std::move(measured.values)});
  send(c);
}

void Reporter::drop_oldest(TimeMs now) {
  while (samples_.size() > settings_.samples_max ||
         (!samples_.empty() && now - samples_.front().at_ms > settings_.age_max_ms)) {
    samples_.pop_front();
    ++dropped_;
  }
}

void Reporter::send(Context& c) {
  drop_oldest(c.now());
  if (asking_) return;
  asking_ = true;
  NodeReport report;
  report.node = settings_.node;
  report.boot_id = settings_.boot_id;
  report.draining = *ordered_ == NodeState::draining;
  report.dropped = dropped_;
  report.detail = detail_;
  std::vector<Taken> sent;
  std::size_t values = 0;
  while (!samples_.empty() && values + samples_.front().values.size() <= settings_.values_max) {
    values += samples_.front().values.size();
    sent.push_back(std::move(samples_.front()));
    samples_.pop_front();
    report.samples.push_back({c.now() - sent.back().at_ms, sent.back().values});
  }
  c.ask("monitor", report, settings_.report_timeout_ms,
        [this, sent = std::move(sent)](Result<ReportTaken> const& answer, Context& later) {
          answered(sent, answer, later);
        });
}

// What may not have arrived is sent again; the monitor knows samples by their times.
void Reporter::answered(std::vector<Taken> sent, Result<ReportTaken> const& answer, Context& c) {
  asking_ = false;
  if (answer) {
    ++reports_;
    trouble_.clear();
    return;
  }
  if (trouble_ != answer.error().what)
    c.log(actor::Level::warning, "the monitor did not take the report: " + answer.error().what);
  trouble_ = answer.error().what;
  samples_.insert(samples_.begin(), std::make_move_iterator(sent.begin()),
                  std::make_move_iterator(sent.end()));
  drop_oldest(c.now());
}

}  // namespace lepton::node
