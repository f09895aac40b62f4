#include "services/deployer/core/prices.hpp"

#include <fmt/format.h>

namespace lepton::deployer {

Status check_prices(JobSpec const& spec) {
  auto const bad = [](char const* why) { return Error{Code::invalid, why}; };
  auto const& where = spec.resources.where;
  if (where.max_price_per_hour_micro < 0 || where.max_price_per_hour_micro > price_micro_max)
    return bad("price.max_per_hour: must be above 0 and at most a million");
  if (where.spot == SpotUse::unknown) return bad("spot: must be never, allowed, preferred or only");
  if (spec.on_demand_base == 0) return ok();
  if (where.spot == SpotUse::only)
    return bad("on_demand_base: keeps some off spot nodes, and spot: only keeps all there");
  if (where.spot == SpotUse::never)
    return bad("on_demand_base: means nothing with spot: never; leave one of them out");
  return ok();
}

bool within_price(Constraints const& c, NodeCapacity const& node) {
  return c.max_price_per_hour_micro == 0 || node.price_per_hour_micro <= c.max_price_per_hour_micro;
}

bool may_use(Constraints const& c, NodeCapacity const& node) {
  return node.spot ? c.spot != SpotUse::never : c.spot != SpotUse::only;
}

bool misses_spot(Constraints const& c, NodeCapacity const& node) {
  return c.spot == SpotUse::preferred && !node.spot;
}

std::int64_t cost_of(Constraints const& c, NodeCapacity const& node) {
  return c.cheapest ? node.price_per_hour_micro : 0;
}

ResourceRequest asked_now(JobSpec const& spec, std::uint32_t on_demand) {
  auto request = spec.resources;
  if (on_demand < spec.on_demand_base) request.where.spot = SpotUse::never;
  return request;
}

std::string price_in_words(std::int64_t per_hour_micro) {
  return fmt::format("{}", static_cast<double>(per_hour_micro) / 1e6);
}

}  // namespace lepton::deployer
