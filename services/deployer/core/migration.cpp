#include "services/deployer/core/migration.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "services/deployer/core/by_request.hpp"
#include "services/deployer/core/placer.hpp"

namespace lepton::deployer {

namespace {

using Index = std::size_t;  // into the work, or into the kinds

// What a place is worth to a request, beside the loss: lower is better.
struct Welcome {
  std::uint64_t preference = 0, wishes = 0;
  bool no_worse_than(Welcome const& o) const {
    return preference <= o.preference && wishes <= o.wishes;
  }
};

// The choice that the allocation stands for, in a room where it is free.
GpuChoice choice_of(Room const& room, Ask const& ask, Allocation const& a) {
  GpuChoice choice;
  if (a.gpus.empty()) return choice;
  choice.device = a.gpus.front().index;
  auto const& device = room.devices()[choice.device];
  while (room.groups()[choice.group].model != device.model) ++choice.group;
  choice.left_milli = device.free_milli - a.gpus.front().milli;
  choice.preference = ask.preference(device.model);
  return choice;
}

class Planner {
 public:
  Planner(Cluster const& cluster, Outlook const& outlook, MigrationRequest const& request)
      : request_(request),
        scratch_(cluster),
        foresight_(outlook, prices_in(cluster, outlook, request.pool)),
        placer_(scratch_, foresight_, request.ranked_models),
        left_(request.limits) {
    scratch_.watch(nullptr);  // what is tried here happens nowhere
    for (auto slot : scratch_.pool(request.pool)) foresight_.remember(scratch_.at(slot));
    for (Index i = 0; i < request.work.size(); ++i)
      if (may_move(request.work[i])) add(i);
    keep_frequent_kinds();
  }

  std::vector<Migration> plan() {
    std::vector<Migration> moves;
    if (left_.moves == 0) return moves;
    for (auto& [slot, items] : by_slot_) weigh(slot);
    while (auto const best = choose()) {
      auto& item = items_[*best];
      moves.push_back(move(item));
      item.done = true;
      for (auto const* places : {&moves.back().from, &moves.back().to})
        for (auto const& a : *places) weigh(slot_of(a));
    }
    return moves;
  }

 private:
  struct Kind {
    ResourceRequest const* request = nullptr;
    std::uint32_t tasks = 1;
    std::optional<Ask> ask;
    std::uint64_t seen = ~std::uint64_t{0};  // the state of the scratch that the place is for
    std::optional<std::vector<Allocation>> place;
    double loss_milli = 0;
    std::size_t items = 0;
  };
  struct Found {
    std::vector<Allocation> place;
    double freed_milli = 0;
    std::uint64_t seen = 0;  // the state of the scratch
  };
  struct Item {
    Mobile const* mobile = nullptr;
    Index kind = 0;
    double cost = 0;          // GPU-milliseconds
    double refund_milli = 0;  // what its place costs, as if it were given to it now
    bool done = false;        // moved
    // Looked for on its own; what it frees is kept as an estimate while neither its nodes nor the
    // best place for its kind change.
    std::optional<Found> own;
  };
  using KindKey = std::pair<ResourceRequest, std::uint32_t>;
  struct ByKind {
    bool operator()(KindKey const& a, KindKey const& b) const {
      if (a.second != b.second) return a.second < b.second;
      return ByRequest()(a.first, b.first);
    }
  };
  using Rooms = std::map<Slot, Room>;

  static Prices prices_in(Cluster const& cluster, Outlook const& outlook, PoolId const& pool) {
    Supply supply;
    for (auto slot : cluster.pool(pool))
      if (auto const& node = cluster.at(slot); node.spec.state == NodeState::ready)
        supply.add(outlook, node.free, node.full);
    return prices_of(outlook, rounded(supply));
  }

  Slot slot_of(Allocation const& a) const { return scratch_.find(a.node)->slot; }

  bool stands(Mobile const& m, std::size_t task) const {
    auto const* held = scratch_.held(m.attempts[task]);
    if (held == nullptr || *held != m.work.held[task]) return false;
    auto const* node = scratch_.find(held->node);
    return node->spec.pool == request_.pool && node->spec.state == NodeState::ready;
  }

  bool may_move(Mobile const& m) const {
    auto const& w = m.work;
    auto const age = request_.now_ms - w.started_at_ms;
    if (!w.preemptible || w.stopping || w.started_at_ms == 0 || age < w.min_runtime_ms)
      return false;
    if (w.held.empty() || w.held.size() != m.attempts.size() || w.held.size() > most_gang_tasks)
      return false;
    if (!check_request(m.request)) return false;
    if (w.held.size() > 1 && m.request.where.topology != TopologyMode::none) return false;
    for (std::size_t i = 0; i < w.held.size(); ++i)
      if (!stands(m, i)) return false;
    return true;
  }

  void add(Index i) {
    auto const& m = request_.work[i];
    auto const tasks = static_cast<std::uint32_t>(m.work.held.size());
    auto const [known, is_new] = kind_of_.try_emplace({m.request, tasks}, kinds_.size());
    if (is_new) {
      auto& kind = kinds_.emplace_back();
      kind.request = &known->first.first;
      kind.tasks = tasks;
      kind.ask.emplace(scratch_, *kind.request, request_.pool, request_.ranked_models);
    }
    ++kinds_[known->second].items;
    items_.push_back({&m, known->second, cost_of(m.work, request_.now_ms)});
  }

  // In the order of the requests where equally many are of a kind.
  void keep_frequent_kinds() {
    if (kinds_.size() > most_mobile_kinds) {
      std::vector<Index> order;
      for (auto const& [key, kind] : kind_of_) order.push_back(kind);
      std::stable_sort(order.begin(), order.end(),
                       [&](Index a, Index b) { return kinds_[a].items > kinds_[b].items; });
      std::set<Index> const kept(order.begin(),
                                 order.begin() + static_cast<std::ptrdiff_t>(most_mobile_kinds));
      std::erase_if(items_, [&](Item const& item) { return !kept.contains(item.kind); });
    }
    for (Index i = 0; i < items_.size(); ++i) {
      std::set<Slot> slots;
      for (auto const& a : items_[i].mobile->work.held) slots.insert(slot_of(a));
      for (auto slot : slots) by_slot_[slot].push_back(i);
    }
  }

  Room& room(Rooms& rooms, Slot slot) const {
    return rooms.try_emplace(slot, scratch_.at(slot).free).first->second;
  }

  // What these places cost, taken one after another.
  double loss(Rooms& rooms, Ask const& ask, std::vector<Allocation> const& places) const {
    double sum = 0;
    for (auto const& a : places) {
      auto const& node = *scratch_.find(a.node);
      auto& here = room(rooms, node.slot);
      sum += foresight_.loss_milli(node, here, ask, choice_of(here, ask, a));
      LEPTON_CHECK(here.take(a).has_value(), "a place that was found has no room");
    }
    return sum;
  }
  // What these places would cost if they were given back and taken again.
  double refund(Rooms& rooms, Ask const& ask, std::vector<Allocation> const& places) const {
    double sum = 0;
    for (auto const& a : places) {
      auto const& node = *scratch_.find(a.node);
      auto& here = room(rooms, node.slot);
      here.give(a);
      sum += foresight_.loss_milli(node, here, ask, choice_of(here, ask, a));
    }
    return sum;
  }

  // Of all that stands on the node; after each change there.
  void weigh(Slot slot) {
    auto const& node = scratch_.at(slot);
    foresight_.remember(node);
    auto const found = by_slot_.find(slot);
    if (found == by_slot_.end()) return;
    for (auto i : found->second) {
      auto& item = items_[i];
      if (item.done) continue;
      item.own.reset();
      Rooms rooms;
      item.refund_milli = refund(rooms, *kinds_[item.kind].ask, item.mobile->work.held);
    }
  }

  void look(Index k) {
    auto& kind = kinds_[k];
    if (kind.seen == scratch_.next_change()) return;
    kind.seen = scratch_.next_change();
    auto place = placer_.find(*kind.request, request_.pool, kind.tasks);
    if (place != kind.place)
      for (auto& item : items_)
        if (item.kind == k) item.own.reset();
    kind.place = std::move(place);
    if (!kind.place) return;
    Rooms rooms;
    kind.loss_milli = loss(rooms, *kind.ask, *kind.place);
  }

  Welcome welcome(Ask const& ask, std::vector<Allocation> const& places) const {
    Welcome sum;
    for (auto const& a : places) {
      auto const& node = *scratch_.find(a.node);
      if (!a.gpus.empty())
        sum.preference += ask.preference(node.full.devices()[a.gpus.front().index].model);
      sum.wishes += wishes_missed(ask, node);
    }
    return sum;
  }

  bool share_a_node(std::vector<Allocation> const& a, std::vector<Allocation> const& b) const {
    return std::any_of(a.begin(), a.end(), [&](Allocation const& one) {
      return std::any_of(b.begin(), b.end(),
                         [&](Allocation const& other) { return one.node == other.node; });
    });
  }

  bool is_enough(double freed_milli, std::uint32_t tasks) const {
    return freed_milli >= request_.least_freed_milli * tasks && freed_milli > 0;
  }

  bool is_affordable(Item const& item) const {
    return kinds_[item.kind].tasks <= left_.moves && item.cost <= left_.lost_gpu_ms;
  }

  double freed_by(Item const& item) const {
    return item.own ? item.own->freed_milli : item.refund_milli - kinds_[item.kind].loss_milli;
  }

  // More freed for the work lost; then less lost; then by identity.
  bool is_better(Item const& a, Item const& b) const {
    auto const x = freed_by(a) * b.cost, y = freed_by(b) * a.cost;
    if (x != y) return x > y;
    if (a.cost != b.cost) return a.cost < b.cost;
    return a.mobile->work.job < b.mobile->work.job;
  }

  // What a move there frees, where both ends may change one room; nothing where it is less welcome.
  double freed_by(Item const& item, std::vector<Allocation> const& place) const {
    auto const& ask = *kinds_[item.kind].ask;
    auto const& held = item.mobile->work.held;
    if (!welcome(ask, place).no_worse_than(welcome(ask, held))) return 0;
    Rooms rooms;
    auto const lost = loss(rooms, ask, place);
    return refund(rooms, ask, held) - lost;
  }

  // The best place that shares no node with its own.
  std::optional<std::vector<Allocation>> elsewhere(Item const& item) const {
    std::set<Slot> here;
    for (auto const& a : item.mobile->work.held) here.insert(slot_of(a));
    std::vector<Slot> slots;
    for (auto slot : scratch_.pool(request_.pool))
      if (!here.contains(slot)) slots.push_back(slot);
    auto const& kind = kinds_[item.kind];
    Draft draft(scratch_);
    if (!fill_on(slots, draft, scratch_, *kind.ask, foresight_, kind.tasks)) return std::nullopt;
    return std::move(draft.taken());
  }

  Found look_for(Item const& item) const {
    auto const& place = *kinds_[item.kind].place;
    Found best{place, freed_by(item, place), scratch_.next_change()};
    if (!share_a_node(item.mobile->work.held, place)) return best;
    if (auto other = elsewhere(item)) {
      auto const freed = freed_by(item, *other);
      if (freed > best.freed_milli) best = {std::move(*other), freed, best.seen};
    }
    return best;
  }

  bool is_candidate(Item const& item) const {
    auto const& kind = kinds_[item.kind];
    return !item.done && kind.place && is_affordable(item) && is_enough(freed_by(item), kind.tasks);
  }

  // What an item is thought to free is too much rather than too little: the best is looked at.
  std::optional<Index> choose() {
    for (Index k = 0; k < kinds_.size(); ++k) look(k);
    while (true) {
      std::optional<Index> best;
      for (Index i = 0; i < items_.size(); ++i)
        if (is_candidate(items_[i]) && (!best || is_better(items_[i], items_[*best]))) best = i;
      if (!best) return best;
      if (auto const& own = items_[*best].own; own && own->seen == scratch_.next_change())
        return best;
      items_[*best].own = look_for(items_[*best]);
    }
  }

  // Of the scratch alone, where what has moved stands under new names.
  AttemptId unused_attempt() {
    AttemptId attempt;
    do attempt.value = "migration-" + std::to_string(next_attempt_++);
    while (scratch_.held(attempt) != nullptr);
    return attempt;
  }

  Migration move(Item const& item) {
    auto const& kind = kinds_[item.kind];
    auto const& m = *item.mobile;
    Migration made{m.work.job, m.work.held, item.own->place, item.own->freed_milli, item.cost};
    for (auto const& a : made.to) {
      auto const attempt = unused_attempt();
      LEPTON_CHECK(scratch_.reserve(attempt, a).has_value(), "a place that was found is taken");
    }
    for (auto const& attempt : m.attempts) scratch_.release(attempt);
    left_.moves -= kind.tasks;
    left_.lost_gpu_ms -= item.cost;
    return made;
  }

  MigrationRequest const& request_;
  Cluster scratch_;
  Foresight foresight_;
  Placer placer_;
  MigrationLimits left_;
  std::map<KindKey, Index, ByKind> kind_of_;
  std::vector<Kind> kinds_;
  std::vector<Item> items_;
  std::map<Slot, std::vector<Index>> by_slot_;  // the items that stand there
  std::uint64_t next_attempt_ = 0;
};

}  // namespace

MigrationLimits MigrationBudget::left(WallMs now_ms) {
  while (!spent_.empty() && spent_.front().at_ms + window_ms <= now_ms) spent_.pop_front();
  auto left = per_hour_;
  for (auto const& s : spent_) {
    left.moves -= std::min(left.moves, s.what.moves);
    left.lost_gpu_ms = std::max(0.0, left.lost_gpu_ms - s.what.lost_gpu_ms);
  }
  return left;
}

void MigrationBudget::spend(WallMs now_ms, MigrationLimits const& spent) {
  if (spent.moves > 0 || spent.lost_gpu_ms > 0) spent_.push_back({now_ms, spent});
}

std::vector<Migration> plan_migration(Cluster const& cluster, Outlook const& outlook,
                                      MigrationRequest const& request) {
  return Planner(cluster, outlook, request).plan();
}

}  // namespace lepton::deployer
