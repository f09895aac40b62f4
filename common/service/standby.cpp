#include "common/service/standby.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "common/service/loop.hpp"
#include "common/store/process_mark.hpp"

namespace lepton::service {
namespace {

using actor::Level;

void end_predecessor(store::Lease const& lease, std::string const& schema, actor::Log const& log) {
  constexpr TimeMs limit_ms = 2'000;
  auto const& mark = lease.predecessor();
  if (store::fate_of(mark) != store::Fate::lives) return;
  auto const ended = store::end_process(mark, limit_ms);
  log(ended ? Level::warning : Level::error,
      fmt::format("{}: the instance before this one stood still for {} ms; {}", schema,
                  store::lease_lapse_ms,
                  ended ? "it was ended" : "it cannot be ended and may keep the ports"));
}

}  // namespace

Result<std::unique_ptr<store::Lease>> wait_for_lease(store::LeaseSettings settings,
                                                     Clock const& clock, actor::Log const& log) {
  auto const schema = settings.schema;
  auto lease = std::make_unique<store::Lease>(std::move(settings), clock);
  std::string said;
  while (!stop_was_asked()) {
    auto const good = lease->try_take();
    if (good) {
      log(Level::info,
          fmt::format("{}: {} the lease, epoch {}", schema,
                      said.empty() ? "takes" : "standby no more: takes over", lease->epoch()));
      end_predecessor(*lease, schema, log);
      return lease;
    }
    auto const& why = good.error();
    if (why.code != Code::conflict && why.code != Code::unavailable) return why;
    if (said != why.what)
      log(why.code == Code::conflict ? Level::info : Level::warning,
          fmt::format("{}: standby: {}", schema, why.what));
    said = why.what;
    std::this_thread::sleep_for(std::chrono::milliseconds(store::lease_look_ms));
  }
  return std::unique_ptr<store::Lease>{};
}

}  // namespace lepton::service
