#pragma once
// What every process of the suite does around its actors: signals, hardening, and the loop that
// carries messages, results and work. One thread.

#include <functional>
#include <string>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"
#include "common/service/inbox.hpp"
#include "common/store/lease_term.hpp"

namespace lepton::service {

// SIGTERM and SIGINT end the loop in good order; SIGHUP is noted; SIGPIPE is ignored.
void catch_signals();
bool stop_was_asked();
// SIGHUP: the settings have changed. True once for each time.
bool reload_was_asked();

// No core file, no reading of this memory by others of the same user: secrets pass through.
void harden();

// Prints "lepton-NAME: sentence" and returns exit status 1.
int fail(std::string const& name, Error const& error);

// Runs until a signal, until the system gives up, or until the lease is lost. While the lease is
// not confirmed nothing is decided and nothing leaves; what arrives is the sink's to refuse.
// Calls `each_second` about so often, whoever holds the lease.
//
// A turn receives, then looks at the lease, then acts: whatever is answered was received before the
// lease was good. So even an instance that was stopped between look and answer promises no more
// than it could when it held the lease (the leases of tasks count from when the node asked).
void serve(actor::System& system, bus::Bus& bus, Inbox& inbox, bus::Sink& sink, Clock const& clock,
           store::LeaseTerm const* lease = nullptr, std::function<void()> const& each_second = {});

}  // namespace lepton::service
