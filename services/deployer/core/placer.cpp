#include "services/deployer/core/placer.hpp"

#include <algorithm>
#include <array>

#include "common/base/check.hpp"
#include "common/base/planted.hpp"
#include "services/deployer/core/by_request.hpp"

namespace lepton::deployer {

namespace {

// A learning placer looks ahead anew after so many arrivals, then twice as many, and so on.
constexpr std::uint64_t first_look = 64, longest_look = 65'536;
// What an added watt counts for foresight_power (docs/placement.md, "Power and speed").
constexpr double watt_milli = 5;

std::vector<std::string> names_of(std::vector<PlacementPolicy> const& arms) {
  std::vector<std::string> names;
  for (auto arm : arms) names.emplace_back(schema::name_of(arm));
  return names;
}

}  // namespace

struct Placer::Pool {
  using Rankings = std::map<ResourceRequest, std::unique_ptr<Ranking>, ByRequest>;
  Shapes shapes;
  // By labels, by prices and by both, each from the first request on that reads these.
  std::array<std::unique_ptr<Shapes>, 3> apart;
  std::vector<Rankings> rankings;  // by arm
  Supply supply, priced;
  std::optional<Foresight> foresight;
};

Placer::Placer(Cluster const& cluster, PlacementPolicy policy, std::uint64_t seed)
    : Placer(cluster, unknown_mix(), true, policy, seed) {
  learning_ = true;
  next_look_ = first_look;
}

Placer::Placer(Cluster const& cluster, Mix const& mix, bool ranked_models, PlacementPolicy policy,
               std::uint64_t seed)
    : cluster_(cluster), arms_(arms_of(policy)), ranked_models_(ranked_models) {
  if (arms_.size() > 1) bandit_.emplace(names_of(arms_), seed);
  look_ahead(mix);
}

Placer::Placer(Cluster const& cluster, Policy const& policy, bool ranked_models)
    : cluster_(cluster), fixed_(&policy), ranked_models_(ranked_models) {}

Placer::~Placer() = default;

void Placer::look_ahead(Mix const& mix) {
  auto worth = outlook_ && mix == mix_ ? outlook_->worth() : nullptr;
  mix_ = mix;
  models_ = cluster_.models().size();
  named_.clear();
  for (auto arm : arms_) named_.push_back(make_policy(arm, mix_, cluster_.models()));
  if (arms_.front() == PlacementPolicy::foresight_power) power_.emplace(cluster_.gpu_kinds());
  if (bandit_ || is_foresight(arms_.front()))
    outlook_ = std::make_unique<Outlook>(mix_, cluster_.models(),
                                         worth ? std::move(worth) : worth_of(mix_));
  forget();
}

void Placer::forget() {
  pools_.clear();
  seen_.clear();
  models_ = cluster_.models().size();
  next_change_ = cluster_.next_change();
  seen_.resize(cluster_.slot_count());
  for (Slot slot = 0; slot < cluster_.slot_count(); ++slot) see(slot);
}

void Placer::observe(ResourceRequest const& request, std::uint32_t tasks) {
  if (!learning_) return;
  counter_.add(request, tasks);
  if (counter_.seen() < next_look_) return;
  while (next_look_ <= counter_.seen()) next_look_ += std::min(next_look_, longest_look);
  look_ahead(counter_.mix());
}

MixMemory Placer::memory() const {
  return {counter_.counts(), counter_.seen(), next_look_, mix_};
}

void Placer::remember(MixMemory const& memory) {
  LEPTON_CHECK(learning_, "a placer that does not learn has nothing to remember");
  counter_.restore(memory.counts, memory.seen);
  next_look_ = memory.next_look;
  look_ahead(memory.in_force);
}

void Placer::sync() {
  if (fixed_ == nullptr && models_ != cluster_.models().size()) return look_ahead(Mix(mix_));
  if (models_ != cluster_.models().size() || next_change_ < cluster_.first_change())
    return forget();
  seen_.resize(cluster_.slot_count());
  for (; next_change_ < cluster_.next_change(); ++next_change_) {
    auto const slot = cluster_.changes()[next_change_ - cluster_.first_change()];
    unsee(slot);
    see(slot);
  }
}

Placer::Pool& Placer::pool(PoolId const& id) {
  auto& found = pools_[id];
  if (!found) {
    found = std::make_unique<Pool>();
    found->rankings.resize(std::max<std::size_t>(1, arms_.size()));
    if (outlook_) found->foresight.emplace(*outlook_, Prices{}, power_ ? &*power_ : nullptr);
  }
  return *found;
}

void Placer::see(Slot slot) {
  auto const& node = cluster_.at(slot);
  if (!cluster_.in_use(slot) || node.spec.state != NodeState::ready) return;
  auto& s = seen_[slot];
  s.pool = &pool(node.spec.pool);
  s.member = {node.tie, node.spec.order, slot};
  s.shape = s.pool->shapes.add(node, slot);
  for (std::size_t i = 0; i < s.apart.size(); ++i)
    if (auto& shapes = s.pool->apart[i]) s.apart[i] = shapes->add(node, slot);
  if (!outlook_) return;
  s.pool->foresight->remember(node);
  s.supply = Supply();
  s.supply.add(*outlook_, node.free, node.full);
  s.pool->supply.add(s.supply);
}

void Placer::unsee(Slot slot) {
  auto& s = seen_[slot];
  if (s.pool == nullptr) return;
  s.pool->shapes.remove(s.shape, s.member);
  for (std::size_t i = 0; i < s.apart.size(); ++i)
    if (auto& shapes = s.pool->apart[i]) shapes->remove(s.apart[i], s.member);
  if (outlook_) s.pool->supply.subtract(s.supply);
  s.pool = nullptr;
}

Policy const& Placer::current(Pool& pool) {
  if (fixed_ != nullptr) return *fixed_;
  if (auto const& named = named_[arm()]) return *named;
  auto now = rounded(pool.supply);
  if (!(now == pool.priced)) {
    pool.foresight->set_prices(prices_of(*outlook_, now, power_ ? watt_milli : 0));
    pool.priced = std::move(now);
  }
  return *pool.foresight;
}

// A gang counts task by task, and ends its epoch at its last one.
void Placer::placed(std::vector<Allocation> const& members) {
  if (!bandit_) return;
  if (models_ != cluster_.models().size()) sync();
  auto const stranded = stranded_by(cluster_, *outlook_, members);
  for (auto const& member : members) {
    double milli = 0;
    for (auto const& share : member.gpus) milli += share.milli;
    epoch_.add(stranded / static_cast<double>(members.size()), milli);
  }
  if (!epoch_.is_over()) return;
  bandit_->end_epoch(epoch_.reward());
  epoch_ = Epoch();
}

Policy const& Placer::policy(PoolId const& id) {
  sync();
  return current(pool(id));
}

Shapes const& Placer::shapes_for(Pool& pool, ResourceRequest const& request, PoolId const& id) {
  auto const by = Shapes::By{request.where.reads_labels(), request.where.reads_prices()};
  if (!by.labels && !by.prices) return pool.shapes;
  auto const at = static_cast<std::size_t>(by.labels ? (by.prices ? 2 : 0) : 1);
  auto& shapes = pool.apart[at];
  if (!shapes) {
    shapes = std::make_unique<Shapes>(by);
    for (auto slot : cluster_.pool(id))
      if (auto& s = seen_[slot]; s.pool == &pool)
        s.apart[at] = shapes->add(cluster_.at(slot), slot);
  }
  return *shapes;
}

Ranking& Placer::ranking(Pool& pool, ResourceRequest const& request, PoolId const& id) {
  auto& rankings = pool.rankings[arm()];
  auto found = rankings.find(request);
  if (found == rankings.end()) {
    if (rankings.size() >= most_rankings / pool.rankings.size()) {
      auto const used = [](auto const& a) { return a.second->last_used; };
      rankings.erase(
          std::min_element(rankings.begin(), rankings.end(),
                           [&](auto const& a, auto const& b) { return used(a) < used(b); }));
    }
    auto made = std::make_unique<Ranking>(cluster_, shapes_for(pool, request, id), request, id,
                                          ranked_models_);
    found = rankings.emplace(request, std::move(made)).first;
  }
  found->second->last_used = ++uses_;
  return *found->second;
}

// Nodes that the gang has touched compete, with what they have left, against the best untouched.
bool Placer::fill(Draft& draft, Ranking& ranking, Policy const& policy, std::uint32_t tasks) {
  struct Touched {
    Rank rank;
    Slot slot = 0;
    Verdict verdict;
  };
  auto const& ask = ranking.ask();
  auto const worse = [](Touched const& a, Touched const& b) { return b.rank.better_than(a.rank); };
  ranking.update(policy);
  auto const range = policy.by_range() ? ranking.range() : ShelfRange();
  std::vector<Touched> heap;
  auto const judge = [&](Slot slot) {
    auto const& node = cluster_.at(slot);
    auto const& room = draft.room(slot);
    if (!admits(with_room(node, room), ask)) return;
    auto const v = policy.judge(node, room, ask);
    heap.push_back({rank_of(policy, v, ask, node, range), slot, v});
    std::push_heap(heap.begin(), heap.end(), worse);
  };
  auto const& shapes = ranking.shapes();
  while (draft.taken().size() < tasks) {
    auto const best = ranking.best(policy, range);
    if (!best && heap.empty()) break;
    if (best && (heap.empty() || best->rank.better_than(heap.front().rank))) {
      // The members of its shape now stand each for itself: as many as the gang could take.
      auto left = tasks - draft.taken().size();
      ranking.hide(*best);
      for (auto const& member : shapes.members(best->shape)) {
        if (left-- == 0) break;
        judge(member.slot);
      }
      continue;
    }
    std::pop_heap(heap.begin(), heap.end(), worse);
    auto const slot = heap.back().slot;
    draft.take(slot, ask, heap.back().verdict.gpus);
    heap.pop_back();
    if (draft.taken().size() < tasks) judge(slot);
  }
  ranking.show();
  if (planted("gang_in_part") && !draft.taken().empty()) return true;
  return draft.taken().size() == tasks;
}

std::optional<std::vector<Allocation>> Placer::find(ResourceRequest const& request,
                                                    PoolId const& id, std::uint32_t tasks) {
  if (!check_request(request) || tasks < 1 || tasks > most_gang_tasks) return std::nullopt;
  sync();
  auto& p = pool(id);
  auto const& policy = current(p);
  if (!policy.by_room() || request.where.topology != TopologyMode::none) {
    auto gang = deployer::place_gang(cluster_, request, id, tasks, policy, ranked_models_);
    auto* found = std::get_if<std::vector<Allocation>>(&gang);
    if (found == nullptr) return std::nullopt;
    return std::move(*found);
  }
  Draft draft(cluster_);
  if (!fill(draft, ranking(p, request, id), policy, tasks)) return std::nullopt;
  return std::move(draft.taken());
}

GangPlacement Placer::place_gang(ResourceRequest const& request, PoolId const& id,
                                 std::uint32_t tasks) {
  if (auto found = find(request, id, tasks)) return std::move(*found);
  return deployer::place_gang(cluster_, request, id, tasks, policy(id), ranked_models_);
}

Placement Placer::place(ResourceRequest const& request, PoolId const& id) {
  auto gang = place_gang(request, id, 1);
  if (auto* misfit = std::get_if<Misfit>(&gang)) return std::move(*misfit);
  return std::move(std::get<std::vector<Allocation>>(gang).front());
}

}  // namespace lepton::deployer
