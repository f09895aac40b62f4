// Exporters that are read: targets by people, readings away from the actor's thread, samples into
// the book of series.

#include "services/monitor/monitor.hpp"

namespace lepton::monitor {

Result<ScrapeTargetsChanged> Monitor::put_target(ScrapePut const& m, Context& c) {
  if (auto good = check_target(m.target); !good) return good.error();
  if (auto put = scrapes_.put(m.target, c.now()); !put) return put.error();
  c.upsert(m.target);
  c.note("url", m.target.url);
  return ScrapeTargetsChanged{static_cast<std::uint32_t>(scrapes_.size())};
}

Result<ScrapeTargetsChanged> Monitor::remove_target(ScrapeRemove const& m, Context& c) {
  auto const found = scrapes_.find(m.name);
  if (!found)
    return Error{Code::not_found,
                 "there is no target '" + m.name + "'; `lepton scrape list` shows all"};
  c.erase(found->target);
  scrapes_.remove(m.name);
  tell_all(alerts_.end_node(scrape_owner(m.name), {c.now(), c.wall()}), c);
  return ScrapeTargetsChanged{static_cast<std::uint32_t>(scrapes_.size())};
}

Result<ScrapePage> Monitor::list_targets(ScrapeList const& m, Context& c) {
  if (m.name.empty()) return ScrapePage{scrapes_.list()};
  auto found = scrapes_.find(m.name);
  if (!found)
    return Error{Code::not_found,
                 "there is no target '" + m.name + "'; `lepton scrape list` shows all"};
  found->values = book_.newest(scrape_owner(m.name), c.now(), 2 * found->target.every_ms);
  return ScrapePage{{*found}};
}

void Monitor::scrape(Context& c) {
  c.after(settings_.look_every_ms, [this](Context& later) { scrape(later); });
  for (auto const& target : scrapes_.due(c.now())) {
    auto got = std::make_shared<Result<Reading>>(Reading{});
    c.work(
        [scraper = scraper_, target, got] {
          auto const page = scraper->get(target.url, target.timeout_ms);
          *got = page ? read_page(target, *page) : Result<Reading>(page.error());
        },
        [this, name = target.name, got](Context& later) { scraped(name, *got, later); });
  }
}

void Monitor::scraped(std::string const& name, Result<Reading> const& got, Context& c) {
  for (auto const& measure : scrapes_.answered(name, got, c.now(), c.wall()))
    book_.add(scrape_owner(name), measure, c.now(), c.wall());
}

void Monitor::judge_targets(Context& c) {
  for (auto const& view : scrapes_.list()) {
    auto const owner = scrape_owner(view.target.name);
    for (auto const& [name, rule] : rules_)
      if (rule.enabled && rule.series == Series::scraped)
        judge_series(rule, owner, scrapes_.steady_ms(view.target.name, c.now()), c);
  }
}

}  // namespace lepton::monitor
