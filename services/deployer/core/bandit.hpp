#pragma once
// Bandit: which of several policies to follow, learned from what each has stranded. Choices are
// made per epoch, a batch of placements, because the loss of one placement says little.
//
// Discounted Thompson sampling with Gaussian beliefs (Raj and Kalyani, Taming non-stationary
// bandits: a Bayesian approach, 2017; Qi, Wang and Zhu, Discounted Thompson sampling for
// non-stationary bandit problems, 2023): old epochs count less, an arm's mean is believed as well
// as its discounted count allows, a mean is drawn for each arm from that belief, and the arm with
// the highest draw is played. Epochs are few and the noise is larger than what tells arms apart,
// and its size is not known beforehand: therefore beliefs scale with the noise that was seen, all
// arms together, where methods for adversaries (EXP3) and confidence bounds made for rewards of a
// known range (UCB) would still explore when the pool is full.
//
// Pure: the seed decides, no clock. Owned by the placer; one thread. No errors: wrong use stops
// the process. Rewards: any unit; higher is better.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/random.hpp"

namespace lepton::deployer {

class Bandit {
 public:
  struct Settings {
    double discount = 0.99;     // of what is known, per epoch: a memory of 1 / (1 - discount)
    double least_noise = 1e-3;  // in the unit of rewards; no belief is surer than this allows
    std::uint32_t tries = 2;    // of each arm first, in an order of the seed's
    double least_count = 0.01;  // an arm forgotten so far is drawn as if played so often
  };
  struct Belief {
    double count = 0;  // discounted number of epochs
    double mean = 0;   // discounted mean of their rewards
  };

  // At least one arm, each with a name of its own.
  Bandit(std::vector<std::string> arms, std::uint64_t seed, Settings settings);
  Bandit(std::vector<std::string> arms, std::uint64_t seed)
      : Bandit(std::move(arms), seed, Settings()) {}

  // The arm of the present epoch: an index into arms().
  std::size_t chosen() const { return chosen_; }
  std::vector<std::string> const& arms() const { return arms_; }
  std::uint64_t epochs() const { return epochs_; }  // that have ended

  // Ends the epoch with this reward, which must be finite, and chooses for the next one.
  void end_epoch(double reward);

  Belief belief(std::size_t arm) const;
  double noise() const;  // standard deviation of one epoch's reward about its arm's mean

 private:
  struct Sums {
    double count = 0, reward = 0, square = 0;
  };
  double normal();
  std::size_t draw();

  std::vector<std::string> arms_;
  Settings settings_;
  Chance chance_;
  std::vector<Sums> sums_;
  std::vector<std::size_t> first_;  // the arms to try first, the next one last
  std::size_t chosen_ = 0;
  std::uint64_t epochs_ = 0;
};

}  // namespace lepton::deployer
