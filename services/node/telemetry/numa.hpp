#pragma once
// NUMA: which memory and CPUs are near a device, as the kernel tells it
// (Documentation/ABI/testing/sysfs-bus-pci and stable/sysfs-devices-node). Blocks for an instant:
// at the start of the daemon only.

#include <cstdint>
#include <map>
#include <string>

namespace lepton::node {

// By the number of the NUMA node, as lists of CPUs ("0-15,32-47").
using NumaCpus = std::map<std::int32_t, std::string>;

// Of a device by its address on the bus, "0000:3b:00.0"; -1 where nobody says, as on machines with
// one NUMA node and in many virtual ones.
std::int32_t numa_of_pci(std::string const& sys, std::string const& address);

// The CPUs of each NUMA node that this process may use; those without any are left out.
NumaCpus usable_numa_cpus(std::string const& sys);

}  // namespace lepton::node
