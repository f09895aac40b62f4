#include "services/deployer/core/preempt.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "common/base/planted.hpp"

namespace lepton::deployer {

namespace {

using Index = std::uint32_t;  // into the running work

constexpr double unreachable = std::numeric_limits<double>::infinity();
constexpr std::uint32_t looks_per_node = 4096;
constexpr std::uint32_t looks_in_all = 100'000;

double weight(Allocation const& a) {
  double milli = 0;
  for (auto const& share : a.gpus) milli += share.milli;
  return milli / whole_gpu + static_cast<double>(a.cpu_milli) / (1000.0 * cores_per_gpu);
}

// The cheapest victims on one node that let it take at least one task more.
struct Option {
  double cost = unreachable;
  std::vector<Index> victims;
  std::uint64_t gain = 0;  // tasks, on all nodes: gangs make room on several

  double ratio(std::uint64_t wanted) const {
    return cost / static_cast<double>(std::min(gain, wanted));
  }
};

class Planner {
 public:
  Planner(Cluster const& cluster, Preemptor const& job, std::vector<Running> const& running,
          WallMs now_ms)
      : cluster_(cluster),
        running_(running),
        ask_(cluster, job.resources, job.pool),
        tasks_(job.tasks),
        draft_(cluster) {
    for (auto slot : cluster.pool(job.pool)) members_[slot] = members_on(slot);
    for (Index i = 0; i < running.size(); ++i) {
      cost_.push_back(cost_of(running[i], now_ms));
      if (running[i].stopping)
        give(i);
      else if (may_preempt(running[i], job, now_ms))
        offer(i);
    }
    for (auto const& [slot, members] : members_) total_ += members;
  }

  std::optional<PreemptionPlan> plan(Policy const& policy) {
    while (total_ < tasks_)
      if (!step()) return std::nullopt;
    if (!planted("victims_in_vain")) spare();
    if (chosen_.size() > most_victims) return std::nullopt;
    PreemptionPlan plan;
    std::sort(chosen_.begin(), chosen_.end());
    for (auto i : chosen_) {
      plan.victims.push_back(running_[i].job);
      plan.cost += cost_[i];
    }
    auto const fits = fill(draft_, cluster_, ask_, policy, tasks_);
    LEPTON_CHECK(fits, "a plan of preemption does not let the job start");
    plan.places = std::move(draft_.taken());
    return plan;
  }

 private:
  using Members = std::map<Slot, std::uint64_t>;

  std::uint64_t members_on(Slot slot) const {
    return members_in(with_room(cluster_.at(slot), draft_.room(slot)), ask_);
  }

  Slot slot_of(Allocation const& a) const {
    auto const* node = cluster_.find(a.node);
    LEPTON_CHECK(node != nullptr, "running work is on a node that is not known");
    return node->slot;
  }

  void offer(Index i) {
    for (auto const& a : running_[i].held) {
      auto& here = offers_[slot_of(a)];
      if (here.empty() || here.back() != i) here.push_back(i);
    }
  }

  // The room of one job, on all its nodes; the sum of members follows.
  void give(Index i) {
    for (auto const& a : running_[i].held) draft_.give(slot_of(a), a);
    recount(i);
  }
  void take_back(Index i) {
    for (auto const& a : running_[i].held) draft_.take_back(slot_of(a), a);
    recount(i);
  }
  void recount(Index i) {
    for (auto const& a : running_[i].held) {
      auto const slot = slot_of(a);
      auto const found = members_.find(slot);
      if (found == members_.end()) continue;  // another pool
      auto const now = members_on(slot);
      if (counting_) total_ += now - found->second;
      found->second = now;
    }
  }

  bool is_chosen(Index i) const {
    return std::find(chosen_.begin(), chosen_.end(), i) != chosen_.end();
  }

  // Depth first, cheapest victims first; what costs as much as the best so far is left out.
  struct Search {
    std::vector<Index> left;  // rising cost
    std::vector<Index> taken;
    Slot slot = 0;
    std::uint32_t looks = 0;
    Option best;
  };

  void look(Search& s, Room const& room, std::size_t from, double cost) {
    for (auto k = from; k < s.left.size(); ++k) {
      auto const i = s.left[k];
      if (cost + cost_[i] >= s.best.cost) return;
      if (s.looks == looks_per_node || looks_ == looks_in_all) return;
      ++s.looks, ++looks_;
      auto roomier = room;
      for (auto const& a : running_[i].held)
        if (slot_of(a) == s.slot) roomier.give(a);
      s.taken.push_back(i);
      if (members_in(with_room(cluster_.at(s.slot), roomier), ask_) > members_.at(s.slot))
        s.best = {cost + cost_[i], s.taken, 0};
      else
        look(s, roomier, k + 1, cost + cost_[i]);
      s.taken.pop_back();
    }
  }

  Option search(Slot slot, double below) {
    Search s;
    s.slot = slot;
    s.best.cost = below;
    for (auto i : offers_.at(slot))
      if (!is_chosen(i)) s.left.push_back(i);
    std::stable_sort(s.left.begin(), s.left.end(),
                     [&](Index a, Index b) { return cost_[a] < cost_[b]; });
    auto all = draft_.room(slot);
    for (auto i : s.left)
      for (auto const& a : running_[i].held)
        if (slot_of(a) == slot) all.give(a);
    if (members_in(with_room(cluster_.at(slot), all), ask_) <= members_.at(slot)) return {};
    look(s, draft_.room(slot), 0, 0);
    if (s.best.victims.empty()) return {};
    s.best.gain = gain(s.best.victims);
    return s.best;
  }

  // How many more tasks fit, on all nodes, without these.
  std::uint64_t gain(std::vector<Index> const& victims) {
    auto const before = total_;
    for (auto i : victims) give(i);
    auto const gained = total_ - before;
    for (auto i : victims) take_back(i);
    return gained;
  }

  // Stops the victims that cost the least for each task that they make room for.
  bool step() {
    counting_ = true;
    auto const wanted = tasks_ - total_;
    Option best;
    // In the order of registration: slots depend on what came and went before.
    for (auto const slot : cluster_.pool(ask_.pool)) {
      if (!offers_.contains(slot) || !members_.contains(slot)) continue;
      auto known = options_.find(slot);
      if (known == options_.end())
        known = options_.emplace(slot, search(slot, wanted == 1 ? best.cost : unreachable)).first;
      auto const& option = known->second;
      if (option.victims.empty()) continue;
      if (best.victims.empty() || option.ratio(wanted) < best.ratio(wanted)) best = option;
    }
    for (auto i : best.victims) {
      chosen_.push_back(i);
      give(i);
      for (auto const& a : running_[i].held) options_.erase(slot_of(a));
    }
    return !best.victims.empty();
  }

  // A victim without whose room all tasks fit too goes on, the dearest first.
  void spare() {
    counting_ = true;
    std::stable_sort(chosen_.begin(), chosen_.end(),
                     [&](Index a, Index b) { return cost_[a] > cost_[b]; });
    std::vector<Index> needed;
    for (auto i : chosen_) {
      take_back(i);
      if (total_ >= tasks_) continue;
      give(i);
      needed.push_back(i);
    }
    chosen_ = std::move(needed);
  }

  Cluster const& cluster_;
  std::vector<Running> const& running_;
  Ask ask_;
  std::uint64_t tasks_;
  Draft draft_;
  Members members_;           // tasks that each node takes now
  std::uint64_t total_ = 0;   // their sum
  bool counting_ = false;     // the sum is kept up to date
  std::vector<double> cost_;  // by running work
  std::map<Slot, std::vector<Index>> offers_;
  std::map<Slot, Option> options_;
  std::vector<Index> chosen_;
  std::uint32_t looks_ = 0;
};

}  // namespace

std::int64_t lost_ms(Running const& r, WallMs now_ms) {
  if (r.started_at_ms == 0 || now_ms <= r.started_at_ms) return 0;
  auto const ran = now_ms - r.started_at_ms;
  return r.checkpoint_interval_ms > 0 ? ran % r.checkpoint_interval_ms : ran;
}

double cost_of(Running const& r, WallMs now_ms) {
  double sum = 0;
  for (auto const& a : r.held) sum += weight(a);
  return sum * static_cast<double>(lost_ms(r, now_ms) + restart_cost_ms);
}

bool may_preempt(Running const& r, Preemptor const& job, WallMs now_ms) {
  if (!r.preemptible || r.stopping || r.held.empty()) return false;
  auto const others = job.quotas && r.owner != job.owner;
  if (others && !r.borrowed) return false;
  if (!(others && job.owed) && r.priority >= job.priority) return false;
  if (r.min_runtime_ms == 0) return true;
  return r.started_at_ms > 0 && now_ms - r.started_at_ms >= r.min_runtime_ms;
}

std::optional<PreemptionPlan> plan_preemption(Cluster const& cluster, Preemptor const& job,
                                              std::vector<Running> const& running, WallMs now_ms,
                                              Policy const& policy) {
  // Victims are chosen node by node: they would not leave one domain to a gang that insists on it.
  if (job.resources.where.topology == TopologyMode::pack) return std::nullopt;
  if (!check_request(job.resources) || job.tasks < 1 || job.tasks > most_gang_tasks)
    return std::nullopt;
  return Planner(cluster, job, running, now_ms).plan(policy);
}

}  // namespace lepton::deployer
