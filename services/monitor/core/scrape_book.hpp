#pragma once
// Which exporter is to be read when, and what of an answer becomes telemetry. Counters become their
// rise per second since the reading before; one that fell began anew and says nothing this time.
// `up` is 1 or 0 with each reading. Pure, owned by the monitor's actor; times are TimeMs.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schemas/scrape.hpp"
#include "services/monitor/core/exposition.hpp"

namespace lepton::monitor {

Status check_target(ScrapeTarget const& target);
// As its series are kept: "scrape/NAME", which is no name of a node.
std::string scrape_owner(std::string const& target);

// What one answer holds; made on a worker thread.
struct Reading {
  std::vector<ExposedSample> samples;  // those that are kept, finite ones
  std::uint32_t left_out = 0;
};
inline constexpr std::size_t scraped_samples_max = 500;  // of one target
inline constexpr std::size_t scraped_series_bytes_max = 200;
Result<Reading> read_page(ScrapeTarget const& target, std::string_view page);

class ScrapeBook {
 public:
  static constexpr std::size_t targets_max = 200;
  static constexpr std::size_t reading_max = 2;  // at one time: half of the worker threads

  // exhausted: there is no room for another one.
  Status put(ScrapeTarget const& target, TimeMs now);
  bool remove(std::string const& name);

  // What to read now; each is told once, until it was answered.
  std::vector<ScrapeTarget> due(TimeMs now);
  // What is to be kept of the answer. Nothing when the target is gone meanwhile.
  std::vector<Measure> answered(std::string const& name, Result<Reading> const& got, TimeMs now,
                                WallMs wall);

  std::vector<ScrapeView> list() const;
  std::optional<ScrapeView> find(std::string const& name) const;
  // It has answered each time for so long; 0: it did not the last time.
  TimeMs steady_ms(std::string const& name, TimeMs now) const;
  std::size_t size() const { return targets_.size(); }

 private:
  struct Counted {
    double value = 0;
    TimeMs at = 0;
  };
  struct Target {
    ScrapeView view;
    TimeMs due_at = 0;
    TimeMs up_since = 0;
    bool reading = false;
    std::map<std::string, Counted> counters;
  };
  static std::optional<double> rise(Target& target, ExposedSample const& sample, TimeMs now,
                                    std::map<std::string, Counted>& next);

  std::map<std::string, Target> targets_;
  std::size_t reading_ = 0;
};

}  // namespace lepton::monitor
