#include "services/deployer/core/score.hpp"

#include <array>
#include <tuple>

namespace lepton::deployer {

namespace {

// What is left over, as a cost: each amount as a part of a large machine, times its weight. GPUs
// weigh most because they are what a cluster runs short of; a broken-off share is worse than the
// same amount left whole. The weights were chosen on the public GPU trace that tests/ replays.
struct Weight {
  std::int64_t cost, of;
};
constexpr Weight cpu_weight{5'000, 128'000};
constexpr Weight memory_weight{1'000, 1'048'576};
constexpr Weight gpu_weight{40'000, 8'000};
constexpr Weight device_weight{40'000, whole_gpu};
constexpr std::int64_t gpu_node_cost = 10'000'000;  // above any sum of the others

std::int64_t cost(std::int64_t left, Weight w) {
  return std::min(left, 8 * w.of) * w.cost / w.of;
}

// The fullest device of the group that still has the share.
GpuChoice fullest_device(Room const& room, std::uint32_t group, Ask const& ask) {
  auto const model = room.groups()[group].model;
  GpuChoice best{group, 0, Ask::refused, ask.preference(model)};
  for (std::uint32_t i = 0; i < room.devices().size(); ++i) {
    auto const& d = room.devices()[i];
    if (d.model != model || d.memory_mib < ask.request.gpu_memory_mib) continue;
    if (d.free_milli < ask.request.gpu_milli) continue;
    auto const left = d.free_milli - ask.request.gpu_milli;
    if (left < best.left_milli) best.device = i, best.left_milli = left;
  }
  return best;
}

}  // namespace

std::vector<Term> Policy::terms(Node const& node, Room const& room, Ask const& ask) const {
  auto const v = judge(node, room, ask);
  return {{"cost", -static_cast<double>(v.score), "of the policy's own measure"}};
}

GpuChoice tightest_gpus(Room const& room, Ask const& ask) {
  GpuChoice best;
  if (ask.request.gpus == 0) return best;
  best.preference = Ask::refused;
  std::uint32_t fewest = Ask::refused;
  for (std::uint32_t i = 0; i < room.groups().size(); ++i) {
    auto const& g = room.groups()[i];
    auto const has = room_in(room, g, ask);
    if (ask.fraction() ? has.best_share < ask.request.gpu_milli : has.whole_free < ask.request.gpus)
      continue;
    auto choice =
        ask.fraction() ? fullest_device(room, i, ask) : GpuChoice{i, 0, 0, ask.preference(g.model)};
    auto const tight = ask.fraction() ? choice.left_milli : has.whole_free;
    if (std::tie(choice.preference, tight) < std::tie(best.preference, fewest))
      best = choice, fewest = tight;
  }
  return best;
}

namespace {

std::int64_t left_over(Room const& room, Ask const& ask) {
  auto const& r = ask.request;
  return cost(room.cpu_milli() - r.cpu_milli, cpu_weight) +
         cost(room.memory_mib() - r.memory_mib, memory_weight) +
         cost(std::int64_t{room.gpu_milli()} - ask.gpu_milli(), gpu_weight);
}

std::int64_t gpu_node(Node const& node, Ask const& ask) {
  return ask.request.gpus == 0 && node.full.gpu_milli() > 0 ? gpu_node_cost : 0;
}

}  // namespace

std::int64_t left_over_cost(Node const& node, Room const& room, Ask const& ask,
                            GpuChoice const& gpus) {
  auto const share = ask.fraction() ? cost(gpus.left_milli, device_weight) : 0;
  return left_over(room, ask) + share + gpu_node(node, ask);
}

Verdict BestFit::judge(Node const& node, Room const& room, Ask const& ask) const {
  auto const gpus = tightest_gpus(room, ask);
  return {gpus, -left_over_cost(node, room, ask, gpus), 0};
}

Verdict Spread::judge(Node const& node, Room const& room, Ask const& ask) const {
  return {tightest_gpus(room, ask), left_over(room, ask) - gpu_node(node, ask), 0};
}

Policy const& best_fit() {
  static BestFit const policy;
  return policy;
}

namespace {
std::array<Policy const*, 2> const& policies() {
  static Spread const spread;
  static std::array<Policy const*, 2> const all{&best_fit(), &spread};
  return all;
}
}  // namespace

Policy const* find_policy(std::string_view name) {
  for (auto const* p : policies())
    if (p->name() == name) return p;
  return nullptr;
}

std::vector<std::string_view> policy_names() {
  std::vector<std::string_view> names;
  for (auto const* p : policies()) names.push_back(p->name());
  return names;
}

}  // namespace lepton::deployer
