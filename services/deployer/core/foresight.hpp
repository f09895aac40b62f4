#pragma once
// Foresight, the default policy: a task goes where it strands the least GPU in the light of all the
// tasks to come. The node's own part is the rise of Outlook::stranded(); the pool's part is the
// price of the GPU models and blocks that it takes from tasks that can use nothing else. Equal
// choices fall to best fit.
// Pure; owned by the placer; refers to an outlook that must outlive it.

#include "services/deployer/core/power.hpp"
#include "services/deployer/core/scarcity.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

class Foresight final : public Policy {
 public:
  // With a power model, added watts cost Prices::watt_milli each; it must outlive the policy.
  explicit Foresight(Outlook const& outlook, Prices prices = {}, PowerModel const* power = nullptr)
      : outlook_(&outlook), power_(power), prices_(std::move(prices)) {}

  std::string_view name() const override {
    return power_ == nullptr ? "foresight" : "foresight_power";
  }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
  std::int64_t price(std::uint64_t shelf, Ask const& ask, ShelfRange range) const override;
  std::vector<Term> terms(Node const& node, Room const& room, Ask const& ask) const override;

  // Milli of GPU that the task costs the pool if it takes these GPUs in this room, prices included:
  // what judge() and price() round. The room must have them free.
  double loss_milli(Node const& node, Room const& room, Ask const& ask,
                    GpuChoice const& gpus) const;

  // Works out the node's part of a loss ahead of many verdicts on it; kept until the node changes.
  void remember(Node const& node);

  Prices const& prices() const { return prices_; }
  void set_prices(Prices prices) { prices_ = std::move(prices); }

 private:
  struct Known {
    std::uint64_t version = 0;  // Node::version; 0: nothing
    double stranded_milli = 0;
  };
  struct PriceParts {
    double model = 0, power = 0, blocks = 0;  // milli of GPU
    double sum() const { return model + power + blocks; }
  };
  struct Loss {
    double stranded_milli = 0;
    std::uint64_t shelf = 0;
  };
  Loss measure(Node const& node, Room const& room, Ask const& ask, GpuChoice const& gpus) const;
  PriceParts price_parts(std::uint64_t shelf, Ask const& ask) const;
  double stranded_now(Node const& node, Room const& room, Parts const& parts) const;

  Outlook const* outlook_;
  PowerModel const* power_;
  Prices prices_;
  std::vector<Known> known_;  // by slot
};

}  // namespace lepton::deployer
