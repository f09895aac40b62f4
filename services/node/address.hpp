#pragma once
// The address of this machine as others reach it: the one from which it would speak to the control
// plane. Nothing is sent. Any thread.

#include <string>

namespace lepton::node {

// Of tcp://HOST:PORT with a numeric host; empty when it cannot be known.
std::string address_towards(std::string const& endpoint);

// Where work with ports should listen, so that both the entrance and the probes, which ask at
// loopback, reach it: on loopback alone where the control plane is on this machine (`address` is
// loopback or empty), else at every address.
std::string listen_address(std::string const& address);

}  // namespace lepton::node
