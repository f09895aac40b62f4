#pragma once
// Registry: every metric of one process, rendered as one page for a scraper.
//
//   auto& refused = registry.counters("lepton_bus_refusals_total", "Requests refused.", {"code"});
//   refused.at({"denied"}).add();
//
// Owner: the service's main; families and values are never removed, so references stay good as long
// as the registry lives. Threads: any; a mutex guards the look-up of a series (keep the reference
// that at() returns where it is hot), values are relaxed atomics. Limits: max_series label
// combinations per family. Further ones share one series whose labels are all "overflow", so that
// totals stay true, and lepton_metrics_overflow_total{family} counts them. A bad or conflicting
// declaration is a broken invariant and stops the process.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/metrics/exposition.hpp"
#include "common/metrics/value.hpp"

namespace lepton::metrics {

using LabelValues = std::vector<std::string>;

struct Declaration {
  std::string name;
  std::string help;  // one sentence with the unit
  Kind kind = Kind::counter;
  std::vector<std::string> labels;
  std::vector<double> bounds;  // of a histogram

  bool operator==(Declaration const&) const = default;
};

class AnyFamily {
 public:
  explicit AnyFamily(Declaration declaration) : declaration_(std::move(declaration)) {}
  virtual ~AnyFamily() = default;
  Declaration const& declaration() const { return declaration_; }
  virtual void render(std::string& page) const = 0;

 protected:
  Declaration declaration_;
};

template <class Value>
class Family final : public AnyFamily {
 public:
  using Make = std::function<std::unique_ptr<Value>()>;
  // `overflow` is null for the family that counts overflows itself: it has one series per family.
  Family(Declaration declaration, std::size_t max_series, Make make, Counter* overflow)
      : AnyFamily(std::move(declaration)),
        max_series_(max_series),
        make_(std::move(make)),
        overflow_(overflow) {}

  // The series with these label values, in the order of the declared labels; made at first use.
  Value& at(LabelValues values);
  void render(std::string& page) const override;

 private:
  std::size_t const max_series_;
  Make const make_;
  Counter* const overflow_;
  std::mutex mutable mutex_;
  std::map<LabelValues, std::unique_ptr<Value>> series_;  // sorted: pages can be compared
};

class Registry {
 public:
  explicit Registry(std::size_t max_series_per_family = 1000);
  Registry(Registry const&) = delete;
  Registry& operator=(Registry const&) = delete;

  using Names = std::vector<std::string>;
  Family<Counter>& counters(std::string_view name, std::string_view help, Names labels);
  Family<Gauge>& gauges(std::string_view name, std::string_view help, Names labels);
  Family<Histogram>& histograms(std::string_view name, std::string_view help, Names labels,
                                std::vector<double> bounds);

  // The same without labels: one series, present on the page from now on.
  Counter& counter(std::string_view name, std::string_view help);
  Gauge& gauge(std::string_view name, std::string_view help);
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds);

  // Text exposition 0.0.4, families and series sorted; serve it as metrics::content_type.
  std::string render() const;

 private:
  template <class Value>
  Family<Value>& family(Declaration declaration, typename Family<Value>::Make make);
  void check(Declaration const& declaration) const;
  void claim_sample_names(Declaration const& declaration);

  std::size_t const max_series_;
  RejectedValues rejected_{0};
  std::mutex mutable mutex_;
  std::map<std::string, std::unique_ptr<AnyFamily>, std::less<>> families_;
  std::set<std::string> sample_names_;
  Family<Counter> overflows_;
};

}  // namespace lepton::metrics
