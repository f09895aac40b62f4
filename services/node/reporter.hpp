#pragma once
// The reporter: measures once a second and tells the monitor. An actor of its own beside the node's
// (node.hpp), so that neither can hold up the other: telemetry may be lost, work may not. While the
// monitor is away, the newest samples wait, at most half a minute of them; the rest is dropped and
// counted. One report is out at a time.

#include <deque>
#include <memory>

#include "common/actor/actor.hpp"
#include "schemas/monitor.hpp"
#include "services/node/telemetry/meter.hpp"

namespace lepton::node {

struct ReporterSettings {
  NodeId node;
  std::string boot_id;
  TimeMs sample_every_ms = 1'000;
  TimeMs report_timeout_ms = 2'000;
  std::size_t samples_max = 30;
  TimeMs age_max_ms = 60'000;      // older ones are of a machine that slept
  std::size_t values_max = 2'000;  // of one report
};

class Reporter final : public actor::Actor {
 public:
  // `ordered` is how the deployer sees the node; the node's actor, on the same thread, writes it.
  Reporter(ReporterSettings settings, std::shared_ptr<Meter> meter,
           std::shared_ptr<NodeState const> ordered);

  void start(actor::Context& c) override { tick(c); }
  std::map<std::string, std::int64_t> counters() const override;

 private:
  using Context = actor::Context;
  struct Taken {
    TimeMs at_ms = 0;
    std::vector<Measure> values;
  };

  void tick(Context& c);
  void take(Measured measured, Context& c);
  void send(Context& c);
  void answered(std::vector<Taken> sent, Result<ReportTaken> const& answer, Context& c);
  void drop_oldest(TimeMs now);

  ReporterSettings settings_;
  std::shared_ptr<Meter> meter_;
  std::shared_ptr<NodeState const> ordered_;
  std::deque<Taken> samples_;  // oldest first
  std::string detail_;
  bool measuring_ = false, asking_ = false;
  std::uint64_t dropped_ = 0;
  std::int64_t reports_ = 0;
  std::string trouble_;  // last refusal, to be logged once
};

}  // namespace lepton::node
