#pragma once
// Work that stands where a test puts it, for the tests of migration.

#include <string>
#include <vector>

#include "services/deployer/core/migration.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer::migration_tests {

inline constexpr WallMs minute = 60'000;
inline constexpr WallMs now_ms = 1'000 * minute;
inline constexpr double gpu_hour = 60.0 * minute;

// Whole GPUs alone are asked for, so that the rest of a GPU beside a share is stranded.
inline Mix wholes() {
  return {{{100, 100, 1, 1000, {}}, 1.0}};
}

struct Scene {
  Mix mix;
  Cluster cluster;
  Outlook outlook;
  std::vector<Mobile> work;

  explicit Scene(std::vector<NodeSpec> const& nodes, Mix const& m = wholes())
      : mix(m), cluster(cluster_of(nodes)), outlook(mix, cluster.models()) {}

  Mobile& hold(std::string const& name, ResourceRequest const& request,
               std::vector<Allocation> const& places, WallMs minutes_ago = 10) {
    Mobile m;
    m.request = request;
    m.work.job = {name};
    m.work.started_at_ms = now_ms - minutes_ago * minute;
    m.work.held = places;
    for (std::size_t i = 0; i < places.size(); ++i) {
      m.attempts.push_back({name + "." + std::to_string(i)});
      must(cluster.reserve(m.attempts.back(), places[i]));
    }
    work.push_back(std::move(m));
    return work.back();
  }
  // A share of this GPU of the node.
  Mobile& share(std::string const& name, std::string const& node, std::uint32_t milli = 500,
                WallMs minutes_ago = 10, std::uint32_t device = 0) {
    auto const request = ask_gpus(1, milli);
    return hold(name, request, {at(node, request, device)}, minutes_ago);
  }
  static Allocation at(std::string const& node, ResourceRequest const& r, std::uint32_t device) {
    return {{node}, r.cpu_milli, r.memory_mib, r.disk_mib, {{device, r.gpu_milli}}, {}};
  }
  std::vector<Migration> plan(MigrationLimits limits = {100, 1e12}, double least = 20) const {
    return plan_migration(cluster, outlook, {default_pool, work, now_ms, limits, least, true});
  }
};

}  // namespace lepton::deployer::migration_tests
