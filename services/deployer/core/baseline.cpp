#include "services/deployer/core/baseline.hpp"

#include <algorithm>

#include "common/base/random.hpp"

namespace lepton::deployer {

namespace {

constexpr double most_cpu_milli = 128'000, most_gpu_milli = 8000;

double cpu(Room const& room) {
  return static_cast<double>(room.cpu_milli());
}
double gpu(Room const& room) {
  return static_cast<double>(room.gpu_milli());
}
Verdict verdict(Room const& room, Ask const& ask, double score) {
  return {tightest_gpus(room, ask), static_cast<std::int64_t>(score), 0};
}

// A device that has room for the share, drawn by `draw`.
std::uint32_t drawn_device(Room const& room, Ask const& ask, ModelIndex model, std::uint64_t draw) {
  std::vector<std::uint32_t> fits;
  for (std::uint32_t i = 0; i < room.devices().size(); ++i) {
    auto const& d = room.devices()[i];
    if (d.model == model && d.free_milli >= ask.request.gpu_milli &&
        d.memory_mib >= ask.request.gpu_memory_mib)
      fits.push_back(i);
  }
  return fits[draw % fits.size()];
}

}  // namespace

Verdict RandomFit::judge(Node const& node, Room const& room, Ask const& ask) const {
  auto seed = seed_;
  auto const draw = mixed(node.tie + splitmix(seed));
  Verdict v{tightest_gpus(room, ask), static_cast<std::int64_t>(draw >> 16), 0};
  if (ask.fraction()) {
    auto const model = room.groups()[v.gpus.group].model;
    v.gpus.device = drawn_device(room, ask, model, mixed(draw));
    v.gpus.left_milli = room.devices()[v.gpus.device].free_milli - ask.request.gpu_milli;
  }
  return v;
}

Verdict DotProduct::judge(Node const&, Room const& room, Ask const& ask) const {
  auto const c = cpu(room) * static_cast<double>(ask.request.cpu_milli);
  auto const g = gpu(room) * ask.gpu_milli();
  auto const product = c / most_cpu_milli / most_cpu_milli + g / most_gpu_milli / most_gpu_milli;
  return verdict(room, ask, 100 * (1 - product / 2));
}

Verdict Clustering::judge(Node const& node, Room const& room, Ask const& ask) const {
  if (ask.request.gpus == 0) return verdict(room, ask, 0);
  auto const kind = kind_of(ask.request.gpus, ask.request.gpu_milli);
  bool same = false, other = false;
  for (std::size_t k = 1; k < kind_count; ++k)
    if (node.residents[k] > 0) (k == kind ? same : other) = true;
  auto const base = same ? (other ? 50 : 75) : (other ? 0 : 25);
  auto const full = std::max(0.0, 25 * (most_gpu_milli - gpu(room)) / most_gpu_milli);
  return verdict(room, ask, base + full);
}

Verdict Packing::judge(Node const&, Room const& room, Ask const& ask) const {
  if (ask.request.gpus == 0) return verdict(room, ask, 0);
  auto v = verdict(room, ask, 0);
  std::int64_t whole = 0;
  for (auto const& d : room.devices()) whole += d.free_milli == whole_gpu ? 1 : 0;
  auto const count = static_cast<std::int64_t>(room.devices().size());
  auto const from = ask.fraction() ? v.gpus.left_milli + ask.request.gpu_milli : whole_gpu;
  if (from < whole_gpu)
    v.score = std::max<std::int64_t>(50, 100 - from / 10 / 10);
  else if (whole < count)
    v.score = std::max<std::int64_t>(33, 50 - whole);
  else
    v.score = std::max<std::int64_t>(0, 33 - count);
  return v;
}

Verdict PublishedBestFit::judge(Node const&, Room const& room, Ask const& ask) const {
  auto const c = cpu(room) - static_cast<double>(ask.request.cpu_milli);
  auto const g = gpu(room) - ask.gpu_milli();
  return verdict(room, ask, 100 * (1 - c / most_cpu_milli / 2 - g / most_gpu_milli / 2));
}

}  // namespace lepton::deployer
