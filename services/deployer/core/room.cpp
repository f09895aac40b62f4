#include "services/deployer/core/room.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lepton::deployer {

namespace {

Error invalid(std::string what) {
  return {Code::invalid, std::move(what)};
}
Error exhausted(std::string_view unit, std::int64_t wanted, std::int64_t free) {
  return {Code::exhausted, fmt::format("{} wanted, {} free: {}", wanted, free, unit)};
}

Status check_devices(std::vector<GpuShare> const& shares, std::vector<Device> const& devices) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    auto const& s = shares[i];
    if (s.index >= devices.size())
      return invalid(fmt::format("GPU {} was given, the node has {}", s.index, devices.size()));
    if (s.milli < 1 || s.milli > whole_gpu)
      return invalid(fmt::format("a share of {} thousandths of GPU {}", s.milli, s.index));
    for (std::size_t j = 0; j < i; ++j)
      if (shares[j].index == s.index) return invalid(fmt::format("GPU {} is named twice", s.index));
    if (devices[s.index].free_milli < s.milli)
      return exhausted(fmt::format("thousandths of GPU {}", s.index), s.milli,
                       devices[s.index].free_milli);
  }
  return ok();
}

Status check_ports(std::vector<std::uint32_t> ports, Ports const& free) {
  std::sort(ports.begin(), ports.end());
  if (std::adjacent_find(ports.begin(), ports.end()) != ports.end())
    return invalid("a port is named twice");
  for (auto port : ports)
    if (!free.is_free(port))
      return Error{Code::exhausted, fmt::format("port {} is taken or not the node's", port)};
  return ok();
}

}  // namespace

Room::Room(NodeCapacity const& capacity, std::vector<ModelIndex> const& models)
    : cpu_milli_(capacity.cpu_milli),
      memory_mib_(capacity.memory_mib),
      disk_mib_(capacity.disk_mib),
      bandwidth_mbit_(capacity.bandwidth_mbit),
      ports_(capacity.port_first, capacity.port_count) {
  LEPTON_CHECK(models.size() == capacity.gpus.size(), "each GPU needs its model's index");
  for (std::size_t i = 0; i < models.size(); ++i) {
    auto const& gpu = capacity.gpus[i];
    devices_.push_back({models[i], gpu.memory_mib, gpu.milli, gpu.island, gpu.numa, gpu.milli});
    gpu_milli_ += gpu.milli;
  }
  regroup();
}

Status Room::check(Allocation const& a) const {
  if (a.cpu_milli < 0 || a.memory_mib < 0 || a.disk_mib < 0 || a.bandwidth_mbit < 0)
    return invalid("an allocation has a negative amount");
  if (a.cpu_milli > cpu_milli_) return exhausted("thousandths of a core", a.cpu_milli, cpu_milli_);
  if (a.memory_mib > memory_mib_) return exhausted("MiB of memory", a.memory_mib, memory_mib_);
  if (a.disk_mib > disk_mib_) return exhausted("MiB of disk", a.disk_mib, disk_mib_);
  if (a.bandwidth_mbit > bandwidth_mbit_)
    return exhausted("Mbit/s of network", a.bandwidth_mbit, bandwidth_mbit_);
  if (auto good = check_devices(a.gpus, devices_); !good) return good;
  return check_ports(a.ports, ports_);
}

Status Room::take(Allocation const& a) {
  if (auto good = check(a); !good) return good;
  cpu_milli_ -= a.cpu_milli;
  memory_mib_ -= a.memory_mib;
  disk_mib_ -= a.disk_mib;
  bandwidth_mbit_ -= a.bandwidth_mbit;
  for (auto const& s : a.gpus) {
    devices_[s.index].free_milli -= s.milli;
    gpu_milli_ -= s.milli;
  }
  for (auto port : a.ports) ports_.take(port);
  if (!a.gpus.empty()) regroup();
  return ok();
}

void Room::give(Allocation const& a) {
  cpu_milli_ += a.cpu_milli;
  memory_mib_ += a.memory_mib;
  disk_mib_ += a.disk_mib;
  bandwidth_mbit_ += a.bandwidth_mbit;
  for (auto const& s : a.gpus) {
    auto& device = devices_.at(s.index);
    device.free_milli += s.milli;
    gpu_milli_ += s.milli;
    LEPTON_CHECK(device.free_milli <= device.full_milli,
                 "more of a GPU is given back than was taken");
  }
  for (auto port : a.ports) ports_.give(port);
  if (!a.gpus.empty()) regroup();
}

void Room::regroup() {
  groups_.clear();
  for (auto const& d : devices_) {
    if (d.full_milli == 0) continue;
    auto g = std::find_if(groups_.begin(), groups_.end(),
                          [&](Group const& x) { return x.model == d.model; });
    if (g == groups_.end())
      g = groups_.insert(g, Group{d.model, 0, 0, 0, d.memory_mib, d.memory_mib});
    ++g->count;
    g->whole_free += d.free_milli == whole_gpu ? 1 : 0;
    g->best_share = std::max(g->best_share, d.free_milli);
    g->memory_min_mib = std::min(g->memory_min_mib, d.memory_mib);
    g->memory_max_mib = std::max(g->memory_max_mib, d.memory_mib);
  }
}

}  // namespace lepton::deployer
