#include "services/deployer/power_caps.hpp"

#include <fmt/format.h>

#include "services/deployer/core/affinity.hpp"

namespace lepton::deployer {
namespace {

constexpr int tries_max = 32;

PowerCapLine line_of(PowerDomain const& domain, PowerUse const& use) {
  return {domain.key, domain.value, use.cap_watts, use.drawn_watts, use.nodes};
}

std::string words_of(PowerExcess const& e) {
  return fmt::format("would draw {} W more, and nodes with {}={} have {} W left of their power cap",
                     e.added_watts, e.domain.key, e.domain.value, e.left_watts);
}

}  // namespace

void PowerCaps::restore(actor::Rows const& rows) {
  for (auto const& row : rows.of<PowerCapRow>()) book_.put({row.key, row.value}, row.cap_watts);
}

Result<PowerCapLine> PowerCaps::put(PowerCapPut const& m, Context& c) {
  if (auto good = check_label(m.key, m.value); !good) return good.error();
  if (m.value.empty()) return Error{Code::invalid, "value: is missing; for example rack=r7"};
  PowerDomain const domain{m.key, m.value};
  auto const& uses = book_.uses();
  if (!uses.contains(domain) && uses.size() >= caps_max)
    return Error{Code::exhausted,
                 "there are 1,000 power caps, which is the limit; remove one first"};
  book_.put(domain, m.cap_watts);
  c.upsert(PowerCapRow{m.key, m.value, m.cap_watts});
  c.note("cap", fmt::format("{}={} {} W", m.key, m.value, m.cap_watts));
  room_changed_(c);
  return line_of(domain, book_.uses().at(domain));
}

Result<PowerCapLine> PowerCaps::remove(PowerCapRemove const& m, Context& c) {
  PowerDomain const domain{m.key, m.value};
  auto const known = book_.uses().find(domain);
  if (known == book_.uses().end())
    return Error{Code::not_found, "there is no power cap of " + m.key + "=" + m.value +
                                      "; `lepton power list` shows all"};
  auto const line = line_of(domain, known->second);
  book_.remove(domain);
  c.erase(PowerCapRow{m.key, m.value, line.cap_watts});
  c.note("cap", m.key + "=" + m.value);
  room_changed_(c);
  return line;
}

Result<PowerCapPage> PowerCaps::list(PowerCapList const&, Context&) {
  PowerCapPage page;
  for (auto const& [domain, use] : book_.uses()) page.caps.push_back(line_of(domain, use));
  return page;
}

GangPlacement PowerCaps::place_gang(ResourceRequest& request, PoolId const& pool,
                                    std::uint32_t tasks) {
  auto found = placer_.place_gang(request, pool, tasks);
  if (request.gpus == 0) return found;
  std::optional<PowerExcess> first;
  for (int tried = 0; tried < tries_max; ++tried) {
    auto const* places = std::get_if<std::vector<Allocation>>(&found);
    auto const excess = places == nullptr ? std::nullopt : book_.excess(*places);
    if (places != nullptr && !excess) return found;
    if (!first) first = excess;
    if (!excess) break;
    auto const& domain = excess->domain;
    request.where.requirements.push_back({domain.key, {domain.value}, true});
    found = placer_.place_gang(request, pool, tasks);
  }
  if (!first) return found;
  short_.insert(pool);
  Misfit misfit;
  misfit.tasks = tasks;
  misfit.what = words_of(*first);
  misfit.for_room = false;
  return misfit;
}

std::optional<std::string> PowerCaps::objection(std::vector<Allocation> const& places) {
  auto const excess = book_.excess(places);
  return excess ? std::optional(words_of(*excess)) : std::nullopt;
}

std::set<PoolId> PowerCaps::take_short() {
  if (short_.empty()) return {};
  auto const freed = book_.freed();
  if (std::exchange(freed_, freed) == freed) return {};
  return std::exchange(short_, {});
}

}  // namespace lepton::deployer
