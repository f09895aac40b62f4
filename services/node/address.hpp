#pragma once
// The address of this machine as others reach it: the one from which it would speak to the control
// plane. Nothing is sent. Any thread.

#include <string>

namespace lepton::node {

// Of tcp://HOST:PORT with a numeric host; empty when it cannot be known.
std::string address_towards(std::string const& endpoint);

}  // namespace lepton::node
