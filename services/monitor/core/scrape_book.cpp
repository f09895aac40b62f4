#include "services/monitor/core/scrape_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.hpp"

namespace lepton::monitor {
namespace {

constexpr std::size_t url_bytes_max = 500;

bool is_plain(char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

}  // namespace

std::string scrape_owner(std::string const& target) {
  return "scrape/" + target;
}

// What stands before an '@' would be a password in a row that people may read.
Status check_target(ScrapeTarget const& t) {
  if (!text::is_dns_label(t.name))
    return Error{Code::invalid,
                 "name: '" + t.name.substr(0, 64) + "' must be a DNS label: a-z, 0-9 and '-'"};
  auto const legal = t.url.starts_with("http://") && t.url.size() > 7 &&
                     t.url.size() <= url_bytes_max && t.url.find('@') == t.url.npos &&
                     std::all_of(t.url.begin(), t.url.end(), is_plain);
  if (!legal)
    return Error{Code::invalid,
                 "url: must be http://HOST:PORT/PATH without user, password and spaces"};
  if (t.timeout_ms > t.every_ms)
    return Error{Code::invalid, "timeout_ms: is longer than every_ms; answers would pile up"};
  return check_keep(t.keep);
}

Result<Reading> read_page(ScrapeTarget const& target, std::string_view page) {
  auto parsed = parse_exposition(page);
  if (!parsed) return parsed.error();
  Reading reading;
  for (auto& sample : *parsed) {
    if (!is_kept(target.keep, sample.name) || !std::isfinite(sample.value)) continue;
    if (reading.samples.size() < scraped_samples_max &&
        sample.series().size() <= scraped_series_bytes_max)
      reading.samples.push_back(std::move(sample));
    else
      ++reading.left_out;
  }
  return reading;
}

Status ScrapeBook::put(ScrapeTarget const& target, TimeMs now) {
  auto const known = targets_.find(target.name);
  if (known == targets_.end() && targets_.size() >= targets_max)
    return Error{Code::exhausted,
                 fmt::format("there are {} targets already; remove one first", targets_.size())};
  auto& kept = targets_[target.name];
  kept.view.target = target;
  kept.due_at = now;
  return ok();
}

bool ScrapeBook::remove(std::string const& name) {
  auto const found = targets_.find(name);
  if (found == targets_.end()) return false;
  if (found->second.reading) --reading_;
  targets_.erase(found);
  return true;
}

// Who waits longest comes first, so that a slow one cannot starve the others.
std::vector<ScrapeTarget> ScrapeBook::due(TimeMs now) {
  std::vector<Target*> waiting;
  for (auto& [name, target] : targets_)
    if (!target.reading && target.due_at <= now) waiting.push_back(&target);
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](auto const* a, auto const* b) { return a->due_at < b->due_at; });
  std::vector<ScrapeTarget> out;
  for (auto* target : waiting) {
    if (reading_ >= reading_max) break;
    ++reading_;
    target->reading = true;
    target->due_at = now + target->view.target.every_ms;
    out.push_back(target->view.target);
  }
  return out;
}

std::optional<double> ScrapeBook::rise(Target& target, ExposedSample const& sample, TimeMs now,
                                       std::map<std::string, Counted>& next) {
  auto const series = sample.series();
  next[series] = {sample.value, now};
  auto const before = target.counters.find(series);
  if (before == target.counters.end() || before->second.at >= now ||
      sample.value < before->second.value)
    return std::nullopt;
  return (sample.value - before->second.value) * 1000 /
         static_cast<double>(now - before->second.at);
}

std::vector<Measure> ScrapeBook::answered(std::string const& name, Result<Reading> const& got,
                                          TimeMs now, WallMs wall) {
  auto const found = targets_.find(name);
  if (found == targets_.end() || !found->second.reading) return {};
  auto& target = found->second;
  target.reading = false;
  --reading_;
  auto& view = target.view;
  if (got && !view.up) target.up_since = now;
  view.up = got.has_value();
  view.trouble = got ? "" : got.error().what;
  std::vector<Measure> out{{Series::scraped, "up", got ? 1.0 : 0.0}};
  if (!got) return out;
  view.read_at_ms = wall;
  view.left_out = got->left_out;
  view.kept = static_cast<std::uint32_t>(got->samples.size());
  std::map<std::string, Counted> next;
  for (auto const& sample : got->samples) {
    auto const value = sample.is_counter ? rise(target, sample, now, next) : sample.value;
    if (value) out.push_back({Series::scraped, sample.series(), *value});
  }
  target.counters = std::move(next);
  return out;
}

TimeMs ScrapeBook::steady_ms(std::string const& name, TimeMs now) const {
  auto const found = targets_.find(name);
  return found == targets_.end() || !found->second.view.up ? 0 : now - found->second.up_since;
}

std::vector<ScrapeView> ScrapeBook::list() const {
  std::vector<ScrapeView> all;
  for (auto const& [name, target] : targets_) all.push_back(target.view);
  return all;
}

std::optional<ScrapeView> ScrapeBook::find(std::string const& name) const {
  auto const found = targets_.find(name);
  if (found == targets_.end()) return std::nullopt;
  return found->second.view;
}

}  // namespace lepton::monitor
