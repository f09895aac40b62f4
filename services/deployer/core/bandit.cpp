#include "services/deployer/core/bandit.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "common/base/check.hpp"

namespace lepton::deployer {

Bandit::Bandit(std::vector<std::string> arms, std::uint64_t seed, Settings settings)
    : arms_(std::move(arms)), settings_(settings), chance_(seed), sums_(arms_.size()) {
  LEPTON_CHECK(!arms_.empty(), "a bandit needs an arm");
  LEPTON_CHECK(std::set(arms_.begin(), arms_.end()).size() == arms_.size(),
               "two arms have the same name");
  LEPTON_CHECK(settings_.discount > 0 && settings_.discount <= 1 && settings_.least_noise > 0 &&
                   settings_.least_count > 0,
               "settings of a bandit are out of bounds");
  for (std::uint32_t round = 0; round < settings_.tries; ++round) {
    std::vector<std::size_t> order(arms_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[chance_.below(i)]);
    first_.insert(first_.begin(), order.begin(), order.end());
  }
  chosen_ = draw();
}

Bandit::Belief Bandit::belief(std::size_t arm) const {
  auto const& s = sums_.at(arm);
  return {s.count, s.count > 0 ? s.reward / s.count : 0};
}

// The spread within arms: what tells arms apart is no noise.
double Bandit::noise() const {
  double squares = 0, count = 0;
  for (auto const& s : sums_) {
    count += s.count;
    if (s.count > 0) squares += std::max(0.0, s.square - s.reward * s.reward / s.count);
  }
  auto const freedom = std::max(1.0, count - static_cast<double>(sums_.size()));
  return std::max(settings_.least_noise, std::sqrt(squares / freedom));
}

// Box and Muller, A note on the generation of random normal deviates, 1958.
double Bandit::normal() {
  auto const radius = std::sqrt(-2 * std::log(1 - chance_.unit()));
  return radius * std::cos(2 * std::numbers::pi * chance_.unit());
}

std::size_t Bandit::draw() {
  if (!first_.empty()) {
    auto const next = first_.back();
    first_.pop_back();
    return next;
  }
  auto const sigma = noise();
  std::size_t best = 0;
  double highest = 0;
  for (std::size_t arm = 0; arm < sums_.size(); ++arm) {
    auto const known = belief(arm);
    auto const count = std::max(known.count, settings_.least_count);
    auto const drawn = known.mean + sigma / std::sqrt(count) * normal();
    if (arm == 0 || drawn > highest) best = arm, highest = drawn;
  }
  return best;
}

void Bandit::end_epoch(double reward) {
  LEPTON_CHECK(std::isfinite(reward), "a reward is not a number");
  for (auto& s : sums_) {
    s.count *= settings_.discount;
    s.reward *= settings_.discount;
    s.square *= settings_.discount;
  }
  auto& s = sums_[chosen_];
  s.count += 1;
  s.reward += reward;
  s.square += reward * reward;
  ++epochs_;
  chosen_ = draw();
}

}  // namespace lepton::deployer
