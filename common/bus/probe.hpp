#pragma once
// Proof before service: strangers are refused. libzmq 4.3.4 lets everybody in when its gatekeeper
// is gone and enforcement is off, and says nothing; so each start tries it, with a key that nobody
// knows.

#include <string>

#include "common/bus/sockets.hpp"

namespace lepton::bus {

// Connects to a server, with a fresh key or with a given one, and tells what became of it; none: no
// decision within wait_ms.
Result<Shake> knock(Context& context, std::string const& endpoint, std::string const& server_key,
                    int wait_ms = 3000);
Result<Shake> knock_with(Context& context, std::string const& endpoint,
                         std::string const& server_key, KeyPair const& keys, int wait_ms = 3000);

// A throw-away server of the given domain refuses strangers while no gatekeeper runs in the
// context.
Status prove_closed_without_gatekeeper(Context& context, KeyPair const& keys);
// The real doors: the peer door refuses a stranger, the client door takes it (else the knock itself
// is broken).
Status prove_peer_door(Context& context, std::string const& endpoint, KeyPair const& keys);
Status prove_client_door(Context& context, std::string const& endpoint, KeyPair const& keys);

}  // namespace lepton::bus
