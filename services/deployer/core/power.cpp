#include "services/deployer/core/power.hpp"

#include <algorithm>
#include <cmath>

#include "services/deployer/core/watts.hpp"

namespace lepton::deployer {

namespace {
constexpr std::int64_t milli_per_core = 2000;
constexpr double shelves_per_watt = 16;
}  // namespace

PowerModel::PowerModel(std::map<std::string, Draw> const& gpus, SocketDraw socket,
                       std::vector<std::string> const& models)
    : socket_(socket) {
  for (auto const& model : models) {
    auto const found = gpus.find(model);
    gpus_.push_back(found == gpus.end() ? Draw{} : found->second);
  }
}

PowerModel::PowerModel(std::vector<GpuKind> const& kinds, SocketDraw socket) : socket_(socket) {
  for (auto const& kind : kinds) {
    auto const full = model_watts(kind.model, kind.mig_profile);
    gpus_.push_back({static_cast<double>(full / idle_part), static_cast<double>(full)});
  }
}

double PowerModel::sockets_watts(std::int64_t used, std::int64_t full) const {
  auto const up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  auto const sockets = up(full, milli_per_core * socket_.cores);
  auto const active = std::min(sockets, up(used, milli_per_core * socket_.cores));
  return static_cast<double>(active) * socket_.full_watts +
         static_cast<double>(sockets - active) * socket_.idle_watts;
}

double PowerModel::watts(Room const& free, Room const& full) const {
  auto sum = sockets_watts(full.cpu_milli() - free.cpu_milli(), full.cpu_milli());
  for (auto const& d : free.devices()) {
    if (d.model >= gpus_.size()) continue;
    sum += d.free_milli < whole_gpu ? gpus_[d.model].full_watts : gpus_[d.model].idle_watts;
  }
  return sum;
}

double PowerModel::added(Node const& node, Room const& room, Ask const& ask,
                         GpuChoice const& gpus) const {
  auto const full = node.full.cpu_milli();
  auto const used = full - room.cpu_milli();
  auto sum = sockets_watts(used + ask.request.cpu_milli, full) - sockets_watts(used, full);
  if (ask.request.gpus == 0) return sum;
  auto const model = room.groups()[gpus.group].model;
  auto const woken = ask.fraction() ? gpus.left_milli + ask.request.gpu_milli == whole_gpu ? 1 : 0
                                    : ask.request.gpus;
  if (model < gpus_.size())
    sum += static_cast<double>(woken) * (gpus_[model].full_watts - gpus_[model].idle_watts);
  return sum;
}

Verdict PowerAndFragmentation::judge(Node const& node, Room const& room, Ask const& ask) const {
  auto v = fgd_.judge(node, room, ask);
  if (power_weight_ == 1000) v.gpus = tightest_gpus(room, ask);
  v.score *= 1000 - power_weight_;
  auto const watts = power_.added(node, room, ask, v.gpus);
  v.shelf = static_cast<std::uint64_t>(std::llround(watts * shelves_per_watt));
  return v;
}

std::int64_t PowerAndFragmentation::price(std::uint64_t shelf, Ask const&, ShelfRange range) const {
  if (range.most == range.least) return 0;
  auto const spared = 100 * (range.most - shelf) / (range.most - range.least);
  return -power_weight_ * static_cast<std::int64_t>(spared);
}

}  // namespace lepton::deployer
