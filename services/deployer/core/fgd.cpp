#include "services/deployer/core/fgd.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lepton::deployer {

namespace {

constexpr double coverage = 0.95;

std::int64_t to_score(double drop_milli) {
  return static_cast<std::int64_t>(100 / (1 + std::exp(-drop_milli / 1000)));
}

bool had_before(std::vector<Device> const& devices, std::uint32_t i) {
  for (std::uint32_t j = 0; j < i; ++j)
    if (devices[j].free_milli == devices[i].free_milli && devices[j].model == devices[i].model &&
        devices[j].memory_mib == devices[i].memory_mib)
      return true;
  return false;
}

}  // namespace

Mix typical_tasks(Mix const& mix) {
  std::map<TaskClass, double> merged;
  double total = 0;
  for (auto const& [task, weight] : mix) {
    auto key = task;
    key.memory_mib = 0;
    merged[key] += weight;
    total += weight;
  }
  Mix all;
  for (auto const& [task, weight] : merged) all.push_back({task, weight});
  std::stable_sort(all.begin(), all.end(),
                   [](MixPart const& a, MixPart const& b) { return a.weight > b.weight; });
  double covered = 0;
  std::size_t count = 0;
  while (count < all.size() && covered < coverage * total) covered += all[count++].weight;
  all.resize(count);
  for (auto& part : all) part.weight /= covered;
  return all;
}

Fgd::Fgd(Mix const& typical, std::vector<std::string> const& models) {
  for (auto const& [task, weight] : typical) {
    Typical t{task.cpu_milli, task.gpus, task.gpu_milli, {}, weight};
    if (!task.models.empty())
      for (auto const& model : models)
        t.accepts.push_back(std::binary_search(task.models.begin(), task.models.end(), model));
    typical_.push_back(std::move(t));
  }
}

double Fgd::unusable(Typical const& m, std::vector<Device> const& devices,
                     std::int64_t cpu_milli) const {
  std::uint32_t all = 0, small = 0, fit = 0;
  for (auto const& d : devices) {
    all += d.free_milli;
    auto const accepted = m.accepts.empty() || (d.model < m.accepts.size() && m.accepts[d.model]);
    if (accepted && d.free_milli >= m.gpu_milli)
      ++fit;
    else
      small += d.free_milli;
  }
  return m.gpus == 0 || cpu_milli < m.cpu_milli || fit < m.gpus ? all : small;
}

double Fgd::fragmentation(std::vector<Device> const& devices, std::int64_t cpu_milli) const {
  double sum = 0;
  for (auto const& m : typical_) sum += m.weight * unusable(m, devices, cpu_milli);
  return sum;
}

void Fgd::try_share(Verdict& best, double before, std::vector<Device>& devices,
                    std::uint32_t device, Ask const& ask, std::int64_t cpu_milli) const {
  auto& d = devices[device];
  auto const preference = ask.preference(d.model);
  auto const milli = ask.request.gpu_milli;
  if (preference > best.gpus.preference || preference == Ask::refused || d.free_milli < milli ||
      d.memory_mib < ask.request.gpu_memory_mib || had_before(devices, device))
    return;
  d.free_milli -= milli;
  auto const score = to_score(before - fragmentation(devices, cpu_milli));
  auto const left = d.free_milli;
  d.free_milli += milli;
  if (preference < best.gpus.preference || score > best.score)
    best = {{0, device, left, preference}, score, 0};
}

Verdict Fgd::judge(Node const&, Room const& room, Ask const& ask) const {
  auto devices = room.devices();
  auto const cpu = room.cpu_milli() - ask.request.cpu_milli;
  auto const before = fragmentation(devices, room.cpu_milli());
  Verdict best{tightest_gpus(room, ask), -1, 0};
  if (ask.fraction()) {
    best.gpus.preference = Ask::refused;
    for (std::uint32_t i = 0; i < devices.size(); ++i)
      try_share(best, before, devices, i, ask, cpu);
    for (std::uint32_t g = 0; g < room.groups().size(); ++g)
      if (room.groups()[g].model == devices[best.gpus.device].model) best.gpus.group = g;
    return best;
  }
  if (ask.request.gpus > 0) {
    auto const model = room.groups()[best.gpus.group].model;
    std::uint32_t wanted = ask.request.gpus;
    for (auto& d : devices)
      if (wanted > 0 && d.model == model && d.free_milli == whole_gpu &&
          d.memory_mib >= ask.request.gpu_memory_mib) {
        d.free_milli = 0;
        --wanted;
      }
  }
  best.score = to_score(before - fragmentation(devices, cpu));
  return best;
}

}  // namespace lepton::deployer
