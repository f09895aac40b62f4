#include "services/deployer/core/scarcity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lepton::deployer {

namespace {

constexpr std::int64_t parts = 128;
constexpr int rounds = 12;        // of dividing the insisting tasks among their models
constexpr double deviations = 2;  // how cautious: standard deviations that weigh as one
constexpr double least_deviation_milli = 1000;
constexpr double block_weight = 0.5;  // of a broken block, its GPUs serve smaller tasks yet

// Power counts fully while half of the pool is free.
double power_counts(double free) {
  return std::min(1.0, 2 * free);
}

double normal(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

template <class Op>
void combine(Supply& to, Supply const& from, Op const& op) {
  auto const count = std::max(to.useful_milli.size(), from.useful_milli.size());
  to.useful_milli.resize(count);
  to.full_milli.resize(count);
  for (std::size_t m = 0; m < from.useful_milli.size(); ++m) {
    to.useful_milli[m] = op(to.useful_milli[m], from.useful_milli[m]);
    to.full_milli[m] = op(to.full_milli[m], from.full_milli[m]);
  }
  for (std::size_t i = 0; i < most_block_kinds; ++i) {
    to.blocks[i] = op(to.blocks[i], from.blocks[i]);
    to.full_blocks[i] = op(to.full_blocks[i], from.full_blocks[i]);
  }
}

std::int64_t round_to(std::int64_t value, std::int64_t full) {
  auto const step = std::max<std::int64_t>(1, full / parts);
  return std::max<std::int64_t>(0, (value + step / 2) / step * step);
}

// How much of each model one group of insisting tasks will take: from where most is left.
void divide(Insisting const& group, double milli, std::vector<double> const& left,
            std::vector<double>& taken) {
  std::vector<std::pair<double, std::size_t>> by_slack;
  for (std::size_t m = 0; m < left.size(); ++m)
    if (m < most_models && (group.models >> m & 1) != 0) by_slack.emplace_back(-left[m], m);
  std::sort(by_slack.begin(), by_slack.end());
  for (std::size_t i = 0; i < by_slack.size() && milli > 0; ++i) {
    auto const last = i + 1 == by_slack.size();
    auto const width = static_cast<double>(i + 1);
    auto const down = last ? milli : (by_slack[i + 1].first - by_slack[i].first) * width;
    auto const now = std::min(milli, down);
    for (std::size_t j = 0; j <= i; ++j) taken[by_slack[j].second] += now / width;
    milli -= now;
  }
}

std::vector<double> model_prices(Outlook const& outlook, std::vector<double> const& useful,
                                 double arrivals) {
  auto const& groups = outlook.insisting();
  std::vector<std::vector<double>> taken(groups.size(), std::vector<double>(useful.size()));
  auto left = useful;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t m = 0; m < left.size(); ++m) left[m] += std::exchange(taken[g][m], 0.0);
      divide(groups[g], groups[g].milli * arrivals, left, taken[g]);
      for (std::size_t m = 0; m < left.size(); ++m) left[m] -= taken[g][m];
    }
  std::vector<double> prices(useful.size());
  for (std::size_t m = 0; m < useful.size(); ++m) {
    double variance = 0, load = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      variance += taken[g][m] / groups[g].milli * groups[g].variance;
      load += taken[g][m];
    }
    auto const deviation = deviations * std::sqrt(variance) + least_deviation_milli;
    if (load > 0) prices[m] = normal(-left[m] / deviation);
  }
  return prices;
}

}  // namespace

void Supply::add(Outlook const& outlook, Room const& free, Room const& full) {
  Supply node;
  for (auto const& d : full.devices()) {
    if (d.model >= node.full_milli.size()) node.full_milli.resize(d.model + 1);
    node.full_milli[d.model] += d.full_milli;
  }
  node.useful_milli.resize(node.full_milli.size());
  outlook.for_useful(Parts(free), [&](Parts::Part const& p, double milli) {
    node.useful_milli[p.model] += std::llround(milli);
  });
  auto const now = outlook.blocks(free), most = outlook.blocks(full);
  for (std::size_t i = 0; i < most_block_kinds; ++i) {
    node.blocks[i] = now[i];
    node.full_blocks[i] = most[i];
  }
  add(node);
}

void Supply::add(Supply const& node) {
  combine(*this, node, [](std::int64_t a, std::int64_t b) { return a + b; });
}

void Supply::subtract(Supply const& node) {
  combine(*this, node, [](std::int64_t a, std::int64_t b) { return a - b; });
}

Supply rounded(Supply const& supply) {
  auto r = supply;
  for (std::size_t m = 0; m < r.useful_milli.size(); ++m)
    r.useful_milli[m] = round_to(r.useful_milli[m], r.full_milli[m]);
  for (std::size_t i = 0; i < most_block_kinds; ++i)
    r.blocks[i] = round_to(r.blocks[i], r.full_blocks[i]);
  return r;
}

Prices prices_of(Outlook const& outlook, Supply const& supply, double watt_milli) {
  Prices prices;
  std::vector<double> useful(supply.useful_milli.begin(), supply.useful_milli.end());
  auto const total = std::accumulate(useful.begin(), useful.end(), 0.0);
  prices.model.assign(useful.size(), 0);
  auto const full = std::accumulate(supply.full_milli.begin(), supply.full_milli.end(), 0.0);
  if (full > 0) prices.watt_milli = watt_milli * power_counts(total / full);
  if (outlook.milli_per_arrival() <= 0) return prices;
  auto const arrivals = total / outlook.milli_per_arrival();  // until the pool is used up
  if (!outlook.insisting().empty()) prices.model = model_prices(outlook, useful, arrivals);
  auto const& kinds = outlook.block_kinds();
  double larger = 0;  // GPUs that larger blocks take, in blocks of the kind before
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto const fold = i == 0 ? 0 : kinds[i - 1].gpus / kinds[i].gpus;
    auto const wanted = arrivals * kinds[i].arrivals + larger * fold;
    auto const deviation = deviations * std::sqrt(wanted) + 0.5;
    auto const short_of = normal((wanted - static_cast<double>(supply.blocks[i])) / deviation);
    prices.block_milli[i] = block_weight * short_of * kinds[i].gpus * whole_gpu;
    larger = wanted;
  }
  return prices;
}

}  // namespace lepton::deployer
