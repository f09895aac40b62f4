#pragma once
// The network interfaces of this machine, as the kernel describes them in /sys/class/net
// (Documentation/ABI/testing/sysfs-class-net). Blocks for an instant: worker thread or start only.

#include <cstdint>
#include <string>

namespace lepton::node {

// The speeds of all interfaces that are devices (bridges, bonds, tunnels and loopback are not), in
// Mbit/s. Those without a link or a speed, as many virtual machines have them, count for nothing.
std::int64_t bandwidth_of_links_mbit(std::string const& sys);

}  // namespace lepton::node
