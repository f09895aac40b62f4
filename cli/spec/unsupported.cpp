#include "cli/spec/unsupported.hpp"

#include <array>
#include <utility>

namespace lepton::cli {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::string_view with_services =
    "belongs to services; write type: service and `lepton service apply FILE`";
constexpr std::string_view with_clouds = "needs clouds, which come with the scaler";

constexpr auto entries = std::to_array<Entry>({
    {"setup", "there is no set-up step yet; do it in the command, as in [sh, -c, 'SETUP && RUN']"},
    {"volumes", "volumes are not there yet; name absolute paths that exist on the nodes"},
    {"placement", "is written as pool, requires, prefers, tolerates, regions and topology"},
    {"deadline", "deadlines need the scaler; write max_duration to limit an attempt"},
    {"max_price", "is written as price: {max_per_hour: 3.00}"},
    {"budget", with_clouds},
    {"spot_overprovision", with_clouds},
    {"idle_stop", "idle work is not recognised yet; write max_duration to limit an attempt"},
    {"schedule", "there is no calendar yet; let cron call `lepton apply`"},
    {"hooks", "there are no hooks yet; handle SIGTERM within stop_grace instead"},
    {"probes", with_services},
    {"replicas", with_services},
    {"scale", with_services},
    {"update", with_services},
    {"balance", "the entrance chooses the replica with the fewest open requests"},
    {"port", with_services},
    {"drain", with_services},
    {"resources.shm", "shared memory is that of the node; leave it out"},
    {"retry.duration", "retries are limited by retry.max only"},
});

}  // namespace

std::optional<std::string_view> why_unsupported(std::string_view path) {
  for (auto const& [field, why] : entries)
    if (field == path) return why;
  return std::nullopt;
}

}  // namespace lepton::cli
