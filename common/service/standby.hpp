#pragma once
// Standby: what a service does before it may act: it waits for the lease, with no door open and no
// row written. While PostgreSQL is away it waits, too, so that an outage costs no restart.
// Blocking; the service's thread. Errors: invalid (tables or settings), denied.

#include <memory>

#include "common/actor/ports.hpp"
#include "common/store/lease.hpp"

namespace lepton::service {

// Null: a stop was asked for meanwhile. Says in the log that it waits, for whom, and that it took
// over. A predecessor on this machine that stands still is ended, for it keeps the ports.
Result<std::unique_ptr<store::Lease>> wait_for_lease(store::LeaseSettings settings,
                                                     Clock const& clock, actor::Log const& log);

}  // namespace lepton::service
