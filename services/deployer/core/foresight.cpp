#include "services/deployer/core/foresight.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lepton::deployer {

namespace {

// A score is in 1/64 of a milli of GPU, above a left-over cost that settles what is equal so far.
constexpr double units_per_milli = 64;
constexpr std::int64_t most_units = std::int64_t{1} << 36;

std::int64_t to_score(double milli) {
  auto const units = std::llround(milli * units_per_milli);
  return std::clamp<std::int64_t>(units, -most_units, most_units) * left_over_limit;
}

// Of the devices with room for a share, the one whose remnant loses least, by geometry alone: the
// host's CPU is the same for all.
GpuChoice best_share(RemnantTable const& remnants, Room const& room, Ask const& ask) {
  GpuChoice best{0, 0, 0, Ask::refused};
  auto const milli = ask.request.gpu_milli;
  double least = 0;
  for (std::uint32_t g = 0; g < room.groups().size(); ++g) {
    auto const model = room.groups()[g].model;
    auto const preference = ask.preference(model);
    if (preference == Ask::refused || room.groups()[g].best_share < milli) continue;
    for (std::uint32_t i = 0; i < room.devices().size(); ++i) {
      auto const& d = room.devices()[i];
      if (d.model != model || d.free_milli < milli || d.memory_mib < ask.request.gpu_memory_mib)
        continue;
      auto const left = d.free_milli - milli;
      auto const loss = remnants.waste(left) - remnants.waste(d.free_milli);
      if (std::tie(preference, loss, left) < std::tie(best.preference, least, best.left_milli)) {
        best = {g, i, left, preference};
        least = loss;
      }
    }
  }
  return best;
}

// A shelf: from the lowest bits the model, the added watts, and the blocks lost of each kind.
constexpr unsigned model_bits = 12, watt_bits = 20, block_bits = 8;
constexpr std::uint64_t mask(unsigned bits) {
  return (std::uint64_t{1} << bits) - 1;
}
constexpr std::uint64_t no_model = mask(model_bits);
constexpr double shelves_per_watt = 16;

std::uint64_t shelf_of(Blocks const& lost, double watts, std::uint64_t model) {
  std::uint64_t shelf = 0;
  for (std::size_t i = most_block_kinds; i-- > 0;)
    shelf = shelf << block_bits | std::min<std::uint64_t>(lost[i], mask(block_bits));
  auto const power = static_cast<std::uint64_t>(std::llround(watts * shelves_per_watt));
  shelf = shelf << watt_bits | std::min(power, mask(watt_bits));
  return shelf << model_bits | std::min(model, no_model);
}

}  // namespace

void Foresight::remember(Node const& node) {
  if (node.slot >= known_.size()) known_.resize(node.slot + 1);
  known_[node.slot] = {node.version, outlook_->stranded(Parts(node.free))};
}

double Foresight::stranded_now(Node const& node, Room const& room, Parts const& parts) const {
  auto const known = node.slot < known_.size() && known_[node.slot].version == node.version;
  return known && &room == &node.free ? known_[node.slot].stranded_milli
                                      : outlook_->stranded(parts);
}

Foresight::Loss Foresight::measure(Node const& node, Room const& room, Ask const& ask,
                                   GpuChoice const& gpus) const {
  auto const& r = ask.request;
  Parts parts(room);
  auto const before = stranded_now(node, room, parts);
  auto model = no_model;
  std::uint32_t whole = 0;
  if (r.gpus > 0) {
    model = room.groups()[gpus.group].model;
    auto const index = static_cast<ModelIndex>(model);
    auto const from = ask.fraction() ? gpus.left_milli + r.gpu_milli : whole_gpu;
    whole = from == whole_gpu ? r.gpus : 0;
    parts.remove(from, index, r.gpus);
    if (ask.fraction()) parts.add(gpus.left_milli, index, 1);
  }
  parts.cpu_milli -= static_cast<double>(r.cpu_milli);
  parts.memory_mib -= static_cast<double>(r.memory_mib);
  auto const lost = outlook_->blocks_lost(room, gpus.group, whole, r.cpu_milli, r.memory_mib);
  auto const watts = power_ == nullptr ? 0 : power_->added(node, room, ask, gpus);
  return {outlook_->stranded(parts) - before, shelf_of(lost, watts, model)};
}

Verdict Foresight::judge(Node const& node, Room const& room, Ask const& ask) const {
  Verdict v;
  v.gpus = ask.fraction() ? best_share(outlook_->remnants(), room, ask) : tightest_gpus(room, ask);
  auto const loss = measure(node, room, ask, v.gpus);
  v.score = -to_score(loss.stranded_milli) - left_over_cost(node, room, ask, v.gpus);
  v.shelf = loss.shelf;
  return v;
}

double Foresight::loss_milli(Node const& node, Room const& room, Ask const& ask,
                             GpuChoice const& gpus) const {
  auto const loss = measure(node, room, ask, gpus);
  return loss.stranded_milli + price_parts(loss.shelf, ask).sum();
}

Foresight::PriceParts Foresight::price_parts(std::uint64_t shelf, Ask const& ask) const {
  PriceParts parts;
  auto const model = shelf & no_model;
  parts.model = model < prices_.model.size() ? prices_.model[model] * ask.gpu_milli() : 0;
  shelf >>= model_bits;
  parts.power =
      prices_.watt_milli * static_cast<double>(shelf & mask(watt_bits)) / shelves_per_watt;
  shelf >>= watt_bits;
  for (std::size_t i = 0; i < most_block_kinds; ++i, shelf >>= block_bits)
    parts.blocks += prices_.block_milli[i] * static_cast<double>(shelf & mask(block_bits));
  return parts;
}

std::int64_t Foresight::price(std::uint64_t shelf, Ask const& ask, ShelfRange) const {
  auto const parts = price_parts(shelf, ask);
  return to_score(parts.sum());
}

std::vector<Term> Foresight::terms(Node const& node, Room const& room, Ask const& ask) const {
  constexpr std::string_view milli = "thousandths of a GPU";
  auto const v = judge(node, room, ask);
  auto const left = left_over_cost(node, room, ask, v.gpus);
  auto const stranded = -static_cast<double>((v.score + left) / left_over_limit) / units_per_milli;
  auto const parts = price_parts(v.shelf, ask);
  std::vector<Term> terms{{"stranded", stranded, milli},
                          {"scarce_model", parts.model, milli},
                          {"broken_blocks", parts.blocks, milli}};
  if (power_ != nullptr) terms.push_back({"power", parts.power, milli});
  terms.push_back({"left_over", static_cast<double>(left), "settles what is equal"});
  return terms;
}

}  // namespace lepton::deployer
