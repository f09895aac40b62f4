#include "common/metrics/registry.hpp"

#include <fmt/format.h>

#include "common/base/check.hpp"

namespace lepton::metrics {
namespace {

constexpr std::string_view overflow_name = "lepton_metrics_overflow_total";
constexpr std::string_view rejected_name = "lepton_metrics_rejected_values_total";

void render_value(std::string& page, Declaration const& d, LabelValues const& values,
                  auto const& value) {
  page += fmt::format("{}{} {}\n", d.name, label_set(d.labels, values), number(value.value()));
}

void render_value(std::string& page, Declaration const& d, LabelValues const& values,
                  Histogram const& value) {
  auto names = d.labels;
  names.emplace_back("le");
  auto with_bound = values;
  with_bound.emplace_back();
  auto const counts = value.cumulative();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    with_bound.back() = i < d.bounds.size() ? number(d.bounds[i]) : "+Inf";
    page += fmt::format("{}_bucket{} {}\n", d.name, label_set(names, with_bound), counts[i]);
  }
  auto const labels = label_set(d.labels, values);
  page += fmt::format("{}_sum{} {}\n", d.name, labels, number(value.sum()));
  page += fmt::format("{}_count{} {}\n", d.name, labels, counts.back());
}

void render_head(std::string& page, Declaration const& d) {
  page += fmt::format("# HELP {} {}\n# TYPE {} {}\n", d.name, escape_help(d.help), d.name,
                      name_of(d.kind));
}

Declaration declare(std::string_view name, std::string_view help, Kind kind,
                    std::vector<std::string> labels = {}, std::vector<double> bounds = {}) {
  return {std::string(name), std::string(help), kind, std::move(labels), std::move(bounds)};
}

}  // namespace

template <class Value>
Value& Family<Value>::at(LabelValues values) {
  LEPTON_CHECK(values.size() == declaration_.labels.size(), "each label needs exactly one value");
  for (auto& value : values) value = clean_label_value(value);
  std::lock_guard const lock(mutex_);
  auto found = series_.find(values);
  if (found == series_.end() && overflow_ != nullptr && series_.size() >= max_series_) {
    overflow_->add();
    values.assign(values.size(), "overflow");
    found = series_.find(values);
  }
  if (found == series_.end()) found = series_.emplace(std::move(values), make_()).first;
  return *found->second;
}

template <class Value>
void Family<Value>::render(std::string& page) const {
  std::lock_guard const lock(mutex_);
  if (series_.empty()) return;
  render_head(page, declaration_);
  for (auto const& [values, value] : series_) render_value(page, declaration_, values, *value);
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

Registry::Registry(std::size_t max_series_per_family)
    : max_series_(max_series_per_family),
      overflows_(
          declare(overflow_name, "Look-ups of a series beyond the limit of its family.",
                  Kind::counter, {"family"}),
          0, [this] { return std::make_unique<Counter>(rejected_); }, nullptr) {
  LEPTON_CHECK(max_series_ > 0, "a family needs room for one series");
  sample_names_ = {std::string(overflow_name), std::string(rejected_name)};
}

void Registry::check(Declaration const& d) const {
  auto const problem = name_problem(d.name, d.kind);
  LEPTON_CHECK(problem.empty(), fmt::format("metric {}: {}", d.name, problem).c_str());
  LEPTON_CHECK(!d.help.empty(), "a metric needs a sentence that says what it measures");
  for (auto const& label : d.labels) {
    auto const wrong = label_problem(label);
    LEPTON_CHECK(wrong.empty(), fmt::format("label {}: {}", label, wrong).c_str());
  }
  LEPTON_CHECK(std::set(d.labels.begin(), d.labels.end()).size() == d.labels.size(),
               "a label stands once in a family");
  for (std::size_t i = 0; i < d.bounds.size(); ++i)
    LEPTON_CHECK(std::isfinite(d.bounds[i]) && (i == 0 || d.bounds[i - 1] < d.bounds[i]),
                 "bucket bounds are finite and rise");
}

// lepton_x_seconds as histogram also writes lepton_x_seconds_count: no other family may.
void Registry::claim_sample_names(Declaration const& d) {
  std::vector<std::string> names = {d.name};
  if (d.kind == Kind::histogram)
    for (auto const* part : {"_bucket", "_sum", "_count"}) names.push_back(d.name + part);
  for (auto& name : names)
    LEPTON_CHECK(sample_names_.insert(std::move(name)).second, "two metrics write the same name");
}

template <class Value>
Family<Value>& Registry::family(Declaration declaration, typename Family<Value>::Make make) {
  std::lock_guard const lock(mutex_);
  auto const found = families_.find(declaration.name);
  if (found == families_.end()) {
    check(declaration);
    claim_sample_names(declaration);
    auto made = std::make_unique<Family<Value>>(declaration, max_series_, std::move(make),
                                                &overflows_.at({declaration.name}));
    auto& family = *made;
    families_.emplace(std::move(declaration.name), std::move(made));
    return family;
  }
  LEPTON_CHECK(found->second->declaration() == declaration,
               "one metric is declared twice with different meaning");
  return static_cast<Family<Value>&>(*found->second);
}

Family<Counter>& Registry::counters(std::string_view name, std::string_view help, Names labels) {
  return family<Counter>(declare(name, help, Kind::counter, std::move(labels)),
                         [this] { return std::make_unique<Counter>(rejected_); });
}

Family<Gauge>& Registry::gauges(std::string_view name, std::string_view help, Names labels) {
  return family<Gauge>(declare(name, help, Kind::gauge, std::move(labels)),
                       [this] { return std::make_unique<Gauge>(rejected_); });
}

Family<Histogram>& Registry::histograms(std::string_view name, std::string_view help, Names labels,
                                        std::vector<double> bounds) {
  auto make = [this, bounds] { return std::make_unique<Histogram>(rejected_, bounds); };
  return family<Histogram>(
      declare(name, help, Kind::histogram, std::move(labels), std::move(bounds)), std::move(make));
}

Counter& Registry::counter(std::string_view name, std::string_view help) {
  return counters(name, help, {}).at({});
}

Gauge& Registry::gauge(std::string_view name, std::string_view help) {
  return gauges(name, help, {}).at({});
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<double> bounds) {
  return histograms(name, help, {}, std::move(bounds)).at({});
}

std::string Registry::render() const {
  std::string page;
  std::lock_guard const lock(mutex_);
  for (auto const& [name, family] : families_) family->render(page);
  overflows_.render(page);
  auto const rejected =
      declare(rejected_name, "Values not recorded: falling counters, not finite.", Kind::counter);
  render_head(page, rejected);
  page += fmt::format("{} {}\n", rejected_name, rejected_.load(std::memory_order_relaxed));
  return page;
}

}  // namespace lepton::metrics
