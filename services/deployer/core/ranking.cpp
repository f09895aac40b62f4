#include "services/deployer/core/ranking.hpp"

#include <algorithm>

namespace lepton::deployer {

namespace {

// Most nodes of a busy pool are too full: said by sums alone, before the rules are asked.
bool may_admit(Room const& room, Ask const& ask) {
  auto const& r = ask.request;
  return room.cpu_milli() >= r.cpu_milli && room.memory_mib() >= r.memory_mib &&
         room.gpu_milli() >= ask.gpu_milli();
}

// Stale entries go once there are more of them than this many per shape.
constexpr std::size_t stale_per_shape = 3, least_entries = 256;

}  // namespace

bool Ranking::Entry::operator<(Entry const& o) const {
  if (cost != o.cost) return cost > o.cost;
  if (score != o.score) return score < o.score;
  return tie != o.tie ? tie > o.tie : order > o.order;
}

Ranking::Ranking(Cluster const& cluster, Shapes const& shapes, ResourceRequest request, PoolId pool,
                 bool ranked_models)
    : cluster_(cluster),
      shapes_(shapes),
      request_(std::move(request)),
      pool_(std::move(pool)),
      ask_(cluster, request_, pool_, ranked_models) {}

Ranking::Shelf& Ranking::shelf(std::uint32_t preference, std::uint32_t wishes, std::uint64_t id) {
  for (auto& s : shelves_)
    if (s.shelf == id && s.preference == preference && s.wishes == wishes) return s;
  return shelves_.emplace_back(Shelf{preference, wishes, id, {}});
}

void Ranking::judge(Policy const& policy, Shapes::Id id) {
  if (!shapes_.alive(id)) return;
  auto const& member = *shapes_.members(id).begin();
  auto const& node = cluster_.at(member.slot);
  if (!may_admit(node.free, ask_) || !admits(now(node), ask_)) return;
  auto const v = policy.judge(node, node.free, ask_);
  auto& heap = shelf(v.gpus.preference, wishes_missed(ask_, node), v.shelf).heap;
  heap.push_back({cost_of(ask_, node), v.score, member.tie, member.order, id, shapes_.version(id)});
  std::push_heap(heap.begin(), heap.end());
  ++entries_;
}

void Ranking::update(Policy const& policy) {
  ++updates_;
  judged_.resize(shapes_.id_count());
  if (!started_ || seen_ < shapes_.first_change()) {
    started_ = true;
    shelves_.clear();
    entries_ = 0;
    for (Shapes::Id id = 0; id < shapes_.id_count(); ++id) judge(policy, id);
  } else {
    for (auto at = seen_; at < shapes_.next_change(); ++at) {
      auto const id = shapes_.changes()[at - shapes_.first_change()];
      if (judged_[id] == updates_) continue;
      judged_[id] = updates_;
      judge(policy, id);
    }
    if (entries_ > (1 + stale_per_shape) * shapes_.alive_count() + least_entries) drop_stale();
  }
  seen_ = shapes_.next_change();
}

void Ranking::drop_stale() {
  entries_ = 0;
  for (auto& s : shelves_) {
    std::erase_if(s.heap, [&](Entry const& e) { return stale(e); });
    std::make_heap(s.heap.begin(), s.heap.end());
    entries_ += s.heap.size();
  }
  std::erase_if(shelves_, [](Shelf const& s) { return s.heap.empty(); });
}

// Takes stale entries off the top; whether any is left.
bool Ranking::clean(Shelf& s) {
  auto& heap = s.heap;
  while (!heap.empty() && stale(heap.front())) {
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    --entries_;
  }
  return !heap.empty();
}

ShelfRange Ranking::range() {
  ShelfRange range;
  for (auto& s : shelves_)
    if (clean(s)) range.include(s.shelf);
  return range;
}

std::optional<Ranking::Best> Ranking::best(Policy const& policy, ShelfRange range) {
  std::optional<Best> best;
  for (auto& s : shelves_) {
    if (!clean(s)) continue;
    auto const& e = s.heap.front();
    Rank const rank{s.preference, s.wishes, e.cost, e.score - policy.price(s.shelf, ask_, range),
                    e.tie,        e.order};
    if (!best || rank.better_than(best->rank)) best = {e.shape, rank};
  }
  return best;
}

void Ranking::hide(Best const& best) {
  for (std::size_t i = 0; i < shelves_.size(); ++i) {
    auto& heap = shelves_[i].heap;
    if (heap.empty() || heap.front().shape != best.shape) continue;
    hidden_.push_back({i, heap.front()});
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    return;
  }
  LEPTON_CHECK(false, "the best shape is not on top of its shelf");
}

void Ranking::show() {
  for (auto const& h : hidden_) {
    auto& heap = shelves_[h.shelf].heap;
    heap.push_back(h.entry);
    std::push_heap(heap.begin(), heap.end());
  }
  hidden_.clear();
}

}  // namespace lepton::deployer
