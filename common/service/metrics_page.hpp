#pragma once
// MetricsPage: what a service counts, as metrics: its actors, its bus, the process. Owned by the
// service's thread, which renders it when time has passed; MetricsServer hands the newest page out.
// Names and units follow common/metrics/exposition.hpp; labels are few and known.

#include <functional>
#include <map>
#include <string>

#include "common/actor/system.hpp"
#include "common/metrics/registry.hpp"

namespace lepton::service {

class MetricsPage {
 public:
  MetricsPage();

  void take(actor::System const& system);
  void take_bus(std::map<std::string, std::int64_t> const& counts);
  void take_process();  // reads /proc/self
  std::string render() const { return registry_.render(); }

 private:
  void take(actor::Host const& host);
  void raise(metrics::Family<metrics::Counter>& family, metrics::LabelValues labels,
             std::int64_t total);

  metrics::Registry registry_;
  metrics::Family<metrics::Gauge>& build_;
  metrics::Family<metrics::Gauge>& ready_;
  metrics::Family<metrics::Gauge>& uptime_;
  metrics::Family<metrics::Gauge>& waiting_;
  metrics::Family<metrics::Gauge>& backlog_;
  metrics::Family<metrics::Gauge>& state_;
  metrics::Family<metrics::Counter>& requests_;
  metrics::Family<metrics::Counter>& restarts_;
  metrics::Family<metrics::Counter>& commits_;
  metrics::Family<metrics::Counter>& rows_;
  metrics::Family<metrics::Counter>& bus_;
  metrics::Counter& cpu_seconds_;
  metrics::Gauge& resident_bytes_;
  metrics::Gauge& open_files_;
};

}  // namespace lepton::service
