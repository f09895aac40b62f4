#include "services/deployer/core/outlook.hpp"

#include <algorithm>
#include <map>

namespace lepton::deployer {

namespace {

std::vector<std::pair<std::uint32_t, double>> sizes_of(Mix const& mix) {
  std::vector<std::pair<std::uint32_t, double>> sizes;
  for (auto const& [task, weight] : mix)
    if (task.gpus > 0) sizes.emplace_back(task.gpu_milli, weight * task.gpus);
  return sizes;
}

std::vector<HostNeed> needs_of(Mix const& mix, std::int64_t TaskClass::*host) {
  std::vector<HostNeed> needs;
  for (auto const& [task, weight] : mix)
    if (task.gpus > 0)
      needs.push_back(
          {task.gpu_milli, static_cast<double>(task.*host) / task.gpus, weight * task.gpus});
  return needs;
}

ModelSet set_of(std::vector<std::string> const& names, std::vector<std::string> const& models) {
  ModelSet set = 0;
  for (auto const& name : names) {
    auto const at =
        static_cast<std::size_t>(std::find(models.begin(), models.end(), name) - models.begin());
    if (at < std::min(models.size(), most_models)) set |= ModelSet{1} << at;
  }
  return set;
}

}  // namespace

Parts::Parts(Room const& room)
    : cpu_milli(static_cast<double>(room.cpu_milli())),
      memory_mib(static_cast<double>(room.memory_mib())) {
  for (auto const& d : room.devices())
    if (d.free_milli > 0) add(d.free_milli, d.model, 1);
}

void Parts::add(std::uint32_t milli, ModelIndex model, std::uint32_t count) {
  if (milli == 0 || count == 0) return;
  std::size_t i = 0;
  while (i < size && !(part[i].milli == milli && part[i].model == model)) ++i;
  if (i == most) i = most - 1;
  if (i == size) part[size++] = {milli, 0, model};
  part[i].count += count;
}

void Parts::remove(std::uint32_t milli, ModelIndex model, std::uint32_t count) {
  for (std::size_t i = 0; i < size; ++i)
    if (part[i].milli == milli && part[i].model == model)
      part[i].count -= std::min(part[i].count, count);
}

WorthTables::WorthTables(Mix const& mix)
    : remnants(sizes_of(mix)),
      cpu(needs_of(mix, &TaskClass::cpu_milli)),
      memory(needs_of(mix, &TaskClass::memory_mib)) {}

SharedWorth worth_of(Mix const& mix) {
  static Mix const unknown = unknown_mix();
  if (mix != unknown) return std::make_shared<WorthTables const>(mix);
  static auto const shared = std::make_shared<WorthTables const>(unknown);
  return shared;
}

Outlook::Outlook(Mix const& mix, std::vector<std::string> const& models, SharedWorth worth)
    : worth_(std::move(worth)) {
  for (auto const& [task, weight] : mix) milli_per_arrival_ += weight * task.total_gpu_milli();
  find_insisting(mix, models);
  find_blocks(mix);
}

void Outlook::find_insisting(Mix const& mix, std::vector<std::string> const& models) {
  auto const count = std::min(models.size(), most_models);
  auto const all = count == most_models ? ~ModelSet{0} : (ModelSet{1} << count) - 1;
  std::map<ModelSet, Insisting> by_set;
  for (auto const& [task, weight] : mix) {
    auto const set = task.models.empty() ? all : set_of(task.models, models);
    if (task.gpus == 0 || set == all || set == 0) continue;  // a model nobody has is short nowhere
    auto& group = by_set[set];
    double const milli = task.total_gpu_milli();
    group.models = set;
    group.milli += weight * milli;
    group.variance += weight * milli * milli;  // of a Poisson number of arrivals
  }
  for (auto const& [set, group] : by_set) insisting_.push_back(group);
}

// The kinds that ask for most GPUs; others find room where these do.
void Outlook::find_blocks(Mix const& mix) {
  std::map<std::uint32_t, BlockKind> by_size;
  for (auto const& [task, weight] : mix) {
    if (task.gpus < 2 || weight <= 0) continue;
    auto& kind = by_size[task.gpus];
    kind.gpus = task.gpus;
    kind.arrivals += weight;
    kind.cpu_milli += weight * static_cast<double>(task.cpu_milli);
    kind.memory_mib += weight * static_cast<double>(task.memory_mib);
  }
  for (auto& [gpus, kind] : by_size) {
    kind.cpu_milli /= kind.arrivals;
    kind.memory_mib /= kind.arrivals;
    block_kinds_.push_back(kind);
  }
  std::stable_sort(block_kinds_.begin(), block_kinds_.end(), [](auto const& a, auto const& b) {
    return a.gpus * a.arrivals > b.gpus * b.arrivals;
  });
  if (block_kinds_.size() > most_block_kinds) block_kinds_.resize(most_block_kinds);
  std::sort(block_kinds_.begin(), block_kinds_.end(),
            [](auto const& a, auto const& b) { return a.gpus > b.gpus; });
}

// The host's CPU and memory go to the free parts by what is useful of them.
Outlook::Shares Outlook::shares(Parts const& parts) const {
  double useful = 0;
  for (std::size_t i = 0; i < parts.size; ++i)
    useful += parts.part[i].count * worth_->remnants.useful(parts.part[i].milli);
  if (useful <= 0) return {};
  return {parts.cpu_milli / useful, parts.memory_mib / useful};
}

double Outlook::waste_of(std::uint32_t milli, Shares const& share) const {
  auto const& [remnants, cpu, memory] = *worth_;
  auto const useful = remnants.useful(milli);
  return remnants.waste(milli) + std::max(cpu.stranded(milli, share.cpu * useful),
                                          memory.stranded(milli, share.memory * useful));
}

double Outlook::stranded(Parts const& parts) const {
  auto const share = shares(parts);
  double sum = 0;
  for (std::size_t i = 0; i < parts.size; ++i)
    sum += parts.part[i].count * waste_of(parts.part[i].milli, share);
  return sum;
}

namespace {

std::uint32_t fitting(BlockKind const& kind, std::uint32_t by_gpus, std::int64_t cpu_milli,
                      std::int64_t memory_mib) {
  auto const limit = [&](std::int64_t has, double each) {
    auto const free = static_cast<double>(has);
    if (by_gpus > 0 && by_gpus * each > free) by_gpus = static_cast<std::uint32_t>(free / each);
  };
  limit(cpu_milli, kind.cpu_milli);
  limit(memory_mib, kind.memory_mib);
  return by_gpus;
}

std::uint32_t by_gpus(BlockKind const& kind, Room const& room) {
  std::uint32_t most = 0;
  for (auto const& g : room.groups()) most += g.whole_free / kind.gpus;
  return most;
}

}  // namespace

Blocks Outlook::blocks(Room const& room) const {
  Blocks found{};
  for (std::size_t i = 0; i < block_kinds_.size(); ++i) {
    auto const& kind = block_kinds_[i];
    found[i] = fitting(kind, by_gpus(kind, room), room.cpu_milli(), room.memory_mib());
  }
  return found;
}

Blocks Outlook::blocks_lost(Room const& room, std::uint32_t group, std::uint32_t gpus,
                            std::int64_t cpu_milli, std::int64_t memory_mib) const {
  Blocks lost{};
  for (std::size_t i = 0; i < block_kinds_.size(); ++i) {
    auto const& kind = block_kinds_[i];
    auto most = by_gpus(kind, room);
    if (most == 0) continue;
    auto const before = fitting(kind, most, room.cpu_milli(), room.memory_mib());
    if (gpus > 0) {
      auto const whole = room.groups()[group].whole_free;
      most -= whole / kind.gpus - (whole - gpus) / kind.gpus;
    }
    auto const after =
        fitting(kind, most, room.cpu_milli() - cpu_milli, room.memory_mib() - memory_mib);
    lost[i] = before - std::min(before, after);
  }
  return lost;
}

}  // namespace lepton::deployer
