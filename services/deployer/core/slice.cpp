#include "services/deployer/core/slice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.hpp"
#include "services/deployer/core/feasible.hpp"
#include "services/deployer/core/islands.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {
namespace {

std::uint32_t used_milli(Node const& slice, std::uint32_t device) {
  return slice.full.devices()[device].full_milli - slice.free.devices()[device].free_milli;
}

Error too_small(Node const& slice, std::int64_t used, std::int64_t left, std::string_view unit) {
  return {Code::conflict,
          fmt::format("slice {}: {} {} are in use there, and {} would be left; end some of its "
                      "work first, `lepton job list` shows it",
                      slice.spec.id.value, used, unit, left)};
}

Status check_used(Node const& slice, SliceSize const& size) {
  struct Amount {
    std::int64_t full, free, left;
    std::string_view unit;
  };
  auto const& full = slice.full;
  auto const& free = slice.free;
  for (auto const& a :
       {Amount{full.cpu_milli(), free.cpu_milli(), size.cpu_milli, "thousandths of a core"},
        Amount{full.memory_mib(), free.memory_mib(), size.memory_mib, "MiB of memory"},
        Amount{full.disk_mib(), free.disk_mib(), size.disk_mib, "MiB of disk"},
        Amount{full.bandwidth_mbit(), free.bandwidth_mbit(), size.bandwidth_mbit,
               "Mbit/s of network"}})
    if (a.full - a.free > a.left) return too_small(slice, a.full - a.free, a.left, a.unit);
  return ok();
}

// Those that it keeps when it has to choose: the most used first.
std::vector<GpuShare> by_use(Node const& slice, std::vector<GpuShare> held) {
  std::stable_sort(held.begin(), held.end(), [&](GpuShare const& a, GpuShare const& b) {
    return used_milli(slice, a.index) > used_milli(slice, b.index);
  });
  return held;
}

// Of the model that the slice has already, if it has any.
Status add_gpus(Cluster const& cluster, Node const& machine, std::uint32_t wanted,
                std::uint32_t milli, std::vector<GpuShare>& kept) {
  ResourceRequest more{0, 0, 0, wanted, milli};
  if (!kept.empty()) more.gpu_models = {machine.spec.capacity.gpus.at(kept.front().index).model};
  Ask const ask(cluster, more, machine.spec.pool);
  auto const choice = tightest_gpus(machine.free, ask);
  if (choice.preference == Ask::refused)
    return Error{Code::exhausted,
                 fmt::format("machine {} has no {} of one model free", machine.spec.id.value,
                             ask.fraction() ? fmt::format("{} thousandths of a GPU", milli)
                                            : fmt::format("{} more GPUs", wanted))};
  if (ask.fraction()) {
    kept.push_back({choice.device, milli});
    return ok();
  }
  auto const model = machine.free.groups()[choice.group].model;
  for (auto const index : choose_devices(machine.free, model, ask))
    kept.push_back({index, whole_gpu});
  return ok();
}

Result<std::vector<GpuShare>> gpus_after(Cluster const& cluster, Node const& slice,
                                         std::vector<GpuShare> const& held, SliceSize const& size) {
  auto kept = by_use(slice, held);
  auto const used = std::count_if(kept.begin(), kept.end(), [&](GpuShare const& share) {
    return used_milli(slice, share.index) > 0;
  });
  if (used > size.gpus) return too_small(slice, used, size.gpus, "GPUs");
  if (kept.size() > size.gpus) kept.resize(size.gpus);
  for (auto& share : kept) {
    auto const milli = used_milli(slice, share.index);
    if (milli > size.gpu_milli)
      return too_small(slice, milli, size.gpu_milli, "thousandths of a GPU");
    share.milli = size.gpu_milli;
  }
  auto const missing = size.gpus - static_cast<std::uint32_t>(kept.size());
  auto const& machine = *cluster.find(slice.spec.machine);
  if (missing > 0)
    if (auto added = add_gpus(cluster, machine, missing, size.gpu_milli, kept); !added)
      return added.error();
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace

Status check_size(SliceSize const& s) {
  if (s.cpu_milli < 1) return Error{Code::invalid, "size.cpu_milli: a slice has some CPU"};
  if (s.memory_mib < 1) return Error{Code::invalid, "size.memory_mib: a slice has some memory"};
  ResourceRequest const asked = request_for(s, {});
  return check_request(asked);
}

Result<SliceSize> meant(SliceSize size, SliceResize const& change) {
  auto const put = [](std::int64_t wanted, auto& field) {
    if (wanted >= 0) field = static_cast<std::remove_reference_t<decltype(field)>>(wanted);
  };
  put(change.cpu_milli, size.cpu_milli);
  put(change.memory_mib, size.memory_mib);
  put(change.disk_mib, size.disk_mib);
  put(change.bandwidth_mbit, size.bandwidth_mbit);
  put(change.gpus, size.gpus);
  put(change.gpu_milli, size.gpu_milli);
  if (size.gpus == 0) size.gpu_milli = whole_gpu;
  if (auto good = check_size(size); !good) return good.error();
  return size;
}

ResourceRequest request_for(SliceSize const& size, std::vector<std::string> const& gpu_models) {
  ResourceRequest r{size.cpu_milli, size.memory_mib, size.disk_mib, size.gpus, size.gpu_milli};
  r.bandwidth_mbit = size.bandwidth_mbit;
  r.gpu_models = gpu_models;
  r.where.requirements = {{slice_label, {}, true}};
  return r;
}

AttemptId holder_of(NodeId const& slice) {
  return AttemptId{slice.value + "-slice"};
}

NodeCapacity capacity_of(NodeCapacity const& machine, Allocation const& held) {
  auto slice = machine;
  slice.cpu_milli = held.cpu_milli;
  slice.memory_mib = held.memory_mib;
  slice.disk_mib = held.disk_mib;
  slice.bandwidth_mbit = held.bandwidth_mbit;
  slice.port_first = held.ports.empty() ? 0 : held.ports.front();
  slice.port_count = static_cast<std::uint32_t>(held.ports.size());
  for (auto& gpu : slice.gpus) gpu.milli = 0;
  std::uint32_t milli = 0;
  for (auto const& share : held.gpus) {
    slice.gpus.at(share.index).milli = share.milli;
    milli += share.milli;
  }
  auto const share = [](std::int64_t part, std::int64_t all) {
    return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
  };
  auto const largest = std::max(
      {share(slice.cpu_milli, machine.cpu_milli), share(slice.memory_mib, machine.memory_mib),
       share(milli, static_cast<std::int64_t>(machine.gpus.size()) * whole_gpu)});
  slice.price_per_hour_micro =
      std::llround(static_cast<double>(machine.price_per_hour_micro) * largest);
  return slice;
}

SliceSize size_of_slice(Allocation const& held) {
  SliceSize size{held.cpu_milli, held.memory_mib, held.disk_mib, held.bandwidth_mbit};
  size.gpus = static_cast<std::uint32_t>(held.gpus.size());
  if (!held.gpus.empty()) size.gpu_milli = held.gpus.front().milli;
  return size;
}

std::optional<std::string> objection(SliceWindow const& window, std::string const& slice,
                                     std::string const& owner, WallMs now_ms,
                                     std::optional<WallMs> ends_by_ms) {
  auto const& users = window.users;
  if (!users.empty() && std::find(users.begin(), users.end(), owner) == users.end())
    return fmt::format("slice '{}' is for {}", slice, text::join(users, ", "));
  if (window.ends_at_ms == 0 || (ends_by_ms && *ends_by_ms <= window.ends_at_ms))
    return std::nullopt;
  auto const minutes = static_cast<double>(window.ends_at_ms - now_ms) / 60'000.0;
  return fmt::format(
      "slice '{}' ends in {:.1f} min; work there needs a `max_duration` that ends "
      "before, with its `stop_grace`",
      slice, std::max(0.0, minutes));
}

Result<Allocation> resized(Cluster const& cluster, Node const& slice, SliceSize const& size) {
  if (auto good = check_used(slice, size); !good) return good.error();
  auto next = *cluster.held(holder_of(slice.spec.id));
  auto gpus = gpus_after(cluster, slice, next.gpus, size);
  if (!gpus) return gpus.error();
  next.gpus = std::move(*gpus);
  next.cpu_milli = size.cpu_milli;
  next.memory_mib = size.memory_mib;
  next.disk_mib = size.disk_mib;
  next.bandwidth_mbit = size.bandwidth_mbit;
  return next;
}

}  // namespace lepton::deployer
