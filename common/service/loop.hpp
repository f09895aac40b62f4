#pragma once
// What every process of the suite does around its actors: signals, hardening, and the loop that
// carries messages, results and work. One thread.

#include <functional>
#include <string>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"
#include "common/service/inbox.hpp"

namespace lepton::service {

// SIGTERM and SIGINT end the loop in good order; SIGPIPE is ignored.
void catch_signals();

// No core file, no reading of this memory by others of the same user: secrets pass through.
void harden();

// Prints "lepton-NAME: sentence" and returns exit status 1.
int fail(std::string const& name, Error const& error);

// Runs until a signal, or until the system gives up, and calls `each_second` about so often. Exit
// status.
int serve(actor::System& system, bus::Bus& bus, Inbox& inbox, bus::Sink& sink, Clock const& clock,
          std::function<void()> const& each_second = {});

}  // namespace lepton::service
