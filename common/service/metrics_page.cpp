#include "common/service/metrics_page.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>

namespace lepton::service {
namespace {

double cpu_seconds_used() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto const seconds = [](timeval const& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Second number of /proc/self/statm, in pages.
double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_files() {
  std::error_code gone;
  std::filesystem::directory_iterator i("/proc/self/fd", gone);
  if (gone) return 0;
  return static_cast<double>(std::distance(begin(i), end(i)));
}

}  // namespace

MetricsPage::MetricsPage()
    : build_(registry_.gauges("lepton_build_info", "Always 1; the labels say what runs.",
                              {"actor", "version"})),
      ready_(
          registry_.gauges("lepton_actor_ready", "1 when the actor serves requests.", {"actor"})),
      uptime_(registry_.gauges("lepton_actor_uptime_seconds", "Since its process began, seconds.",
                               {"actor"})),
      waiting_(registry_.gauges("lepton_actor_mailbox_messages", "Messages that wait.", {"actor"})),
      backlog_(registry_.gauges("lepton_stream_backlog_events",
                                "Events that not every consumer has acknowledged.",
                                {"actor", "stream"})),
      state_(registry_.gauges("lepton_actor_state_value", "What the actor tells of its state.",
                              {"actor", "what"})),
      requests_(registry_.counters("lepton_actor_requests_total",
                                   "Requests, by what became of them.", {"actor", "outcome"})),
      restarts_(registry_.counters("lepton_actor_restarts_total",
                                   "Lives of the actor that ended in an error.", {"actor"})),
      commits_(registry_.counters("lepton_actor_commits_total", "Transactions.", {"actor"})),
      rows_(registry_.counters("lepton_actor_rows_total", "Rows written.", {"actor"})),
      bus_(registry_.counters("lepton_bus_messages_total",
                              "Messages of the bus, by what became of them.", {"what"})),
      cpu_seconds_(registry_.counter("lepton_process_cpu_seconds_total", "CPU time, seconds.")),
      resident_bytes_(
          registry_.gauge("lepton_process_resident_memory_bytes", "Resident memory, bytes.")),
      open_files_(registry_.gauge("lepton_process_open_files", "Open file descriptors.")) {}

// Totals that the process keeps; they never fall within its life.
void MetricsPage::raise(metrics::Family<metrics::Counter>& family, metrics::LabelValues labels,
                        std::int64_t total) {
  auto& counter = family.at(std::move(labels));
  counter.add(std::max(0.0, static_cast<double>(total) - counter.value()));
}

void MetricsPage::take(actor::System const& system) {
  for (auto const& host : system.hosts()) take(*host);
}

void MetricsPage::take(actor::Host const& host) {
  auto const& name = host.name();
  auto const& s = host.stats();
  ready_.at({name}).set(host.is_ready() ? 1 : 0);
  auto const health = host.health();
  build_.at({name, health.version}).set(1);
  uptime_.at({name}).set(static_cast<double>(health.uptime_ms) / 1000);
  waiting_.at({name}).set(static_cast<double>(host.depth()));
  raise(requests_, {name, "handled"}, s.handled);
  raise(requests_, {name, "refused"}, s.refused);
  raise(requests_, {name, "denied"}, s.denied);
  raise(requests_, {name, "expired"}, s.expired);
  raise(requests_, {name, "dead_letter"}, s.dead_letters);
  raise(requests_, {name, "repeated"}, s.replays);
  raise(restarts_, {name}, s.restarts);
  raise(commits_, {name}, s.commits);
  raise(rows_, {name}, s.rows);
  for (auto const& outlet : host.outlets())
    backlog_.at({name, outlet.stream()})
        .set(static_cast<double>(outlet.head() - outlet.acknowledged()));
  if (host.is_ready() && host.actor() != nullptr)
    for (auto const& [what, value] : host.actor()->counters())
      state_.at({name, what}).set(static_cast<double>(value));
}

void MetricsPage::take_bus(std::map<std::string, std::int64_t> const& counts) {
  for (auto const& [what, total] : counts) raise(bus_, {what}, total);
}

void MetricsPage::take_process() {
  cpu_seconds_.add(std::max(0.0, cpu_seconds_used() - cpu_seconds_.value()));
  resident_bytes_.set(resident_bytes());
  open_files_.set(open_files());
}

}  // namespace lepton::service
