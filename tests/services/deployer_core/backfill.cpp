// Backfill: the reservation is the earliest there is, and nothing that starts beside it delays the
// first job. Against a small model that tries every instant, and in worlds where work comes, ends
// early or at its limit, and is placed by the same rules as in the deployer.

#include "services/deployer/core/backfill.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

constexpr WallMs minute = 60'000;

struct World {
  Cluster cluster;
  WallMs now = 0;
  struct Work {
    std::vector<Allocation> held;
    std::optional<WallMs> ends_by;
    WallMs ends = 0;
  };
  std::map<JobId, Work> running;
  int next = 0;

  AttemptId attempt(JobId const& job, std::size_t i) const {
    return {job.value + "-" + std::to_string(i)};
  }
  JobId start(std::vector<Allocation> held, std::optional<WallMs> ends_by, WallMs ends = 0) {
    JobId const id{"w" + std::to_string(next++)};
    for (std::size_t i = 0; i < held.size(); ++i) must(cluster.reserve(attempt(id, i), held[i]));
    running[id] = {std::move(held), ends_by, ends};
    return id;
  }
  void end(JobId const& id) {
    for (std::size_t i = 0; i < running.at(id).held.size(); ++i)
      RC_ASSERT(cluster.release(attempt(id, i)));
    running.erase(id);
  }
  std::vector<Limited> limited() const {
    std::vector<Limited> all;
    for (auto const& [id, work] : running)
      if (work.ends_by) all.push_back({id, *work.ends_by, work.held});
    return all;
  }
  EndsBy ends_by() const {
    return [this](AttemptId const& a) -> std::optional<WallMs> {
      auto const found = running.find({a.value.substr(0, a.value.rfind('-'))});
      return found == running.end() ? std::nullopt : found->second.ends_by;
    };
  }
  std::optional<Reservation> reserve_for(ResourceRequest const& r, std::uint32_t tasks) const {
    return reserve(cluster, {"head"}, r, default_pool, tasks, limited(), now, best_fit());
  }
  // As the deployer does it.
  std::optional<std::vector<Allocation>> place_later(ResourceRequest const& r, std::uint32_t tasks,
                                                     std::optional<WallMs> until,
                                                     Reservation const& reservation) const {
    auto gang = place_gang(cluster, r, default_pool, tasks);
    auto* places = std::get_if<std::vector<Allocation>>(&gang);
    if (places == nullptr) return std::nullopt;
    if (leaves_whole(cluster, reservation, ends_by(), *places, until)) return std::move(*places);
    return place_beside(cluster, r, default_pool, tasks, best_fit(), reservation, ends_by());
  }
};

Allocation gpus(std::string node, std::vector<GpuShare> shares) {
  return {{std::move(node)}, 1000, 1000, 0, std::move(shares), {}};
}

World two_nodes() {
  World w;
  w.cluster = cluster_of({node("a", capacity(8000, 8000, 2)), node("b", capacity(8000, 8000, 2))});
  return w;
}

TEST(Backfill, TheReservationNamesTheInstantTheLastJobAndThePlaces) {
  auto w = two_nodes();
  w.start({gpus("a", {{0, 1000}})}, 10 * minute);
  auto const last = w.start({gpus("a", {{1, 1000}})}, 20 * minute);
  w.start({gpus("b", {{0, 1000}})}, std::nullopt);
  auto const r = w.reserve_for(ask_gpus(2), 1);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->starts_by_ms, 20 * minute);
  EXPECT_EQ(r->last, last);
  ASSERT_EQ(r->places.size(), 1u);
  EXPECT_EQ(r->places[0].node.value, "a");
  EXPECT_FALSE(w.reserve_for(ask_gpus(2), 2)) << "b is never free by any limit";
}

TEST(Backfill, LaterWorkStartsIfItIsShortOrElsewhere) {
  auto w = two_nodes();
  w.start({gpus("a", {{0, 1000}})}, 10 * minute);
  w.start({{{"b"}, 8000, 1000, 0, {{0, 1000}, {1, 1000}}, {}}}, std::nullopt);
  auto head = ask_gpus(2);
  head.cpu_milli = 4000;
  auto const r = *w.reserve_for(head, 1);
  EXPECT_FALSE(w.place_later(ask_gpus(1), 1, std::nullopt, r)) << "never ends";
  EXPECT_FALSE(w.place_later(ask_gpus(1), 1, 11 * minute, r)) << "ends too late";
  EXPECT_TRUE(w.place_later(ask_gpus(1), 1, 10 * minute, r));
  EXPECT_TRUE(w.place_later(ask_cpu(1000, 1000), 1, std::nullopt, r)) << "not in its way";
  EXPECT_TRUE(w.place_later(ask_cpu(4000, 1000), 1, std::nullopt, r)) << "leaves it its cores";
  EXPECT_FALSE(w.place_later(ask_cpu(4001, 1000), 1, std::nullopt, r)) << "takes its cores";
}

TEST(Backfill, PlacesBesideTheReservedOnesAreFound) {
  auto w = two_nodes();
  must(w.cluster.upsert_node(node("c", capacity(64'000, 64'000, 4))));
  w.start({gpus("a", {{0, 1000}})}, 10 * minute);
  w.start({gpus("b", {{0, 1000}, {1, 1000}})}, std::nullopt);
  w.start({gpus("c", {{0, 1000}, {1, 1000}, {2, 1000}})}, std::nullopt);
  auto const r = *w.reserve_for(ask_gpus(2), 1);
  auto const found = w.place_later(ask_gpus(1), 1, std::nullopt, r);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().node.value, "c");
}

World any_world(bool crowded) {
  World w;
  w.cluster = cluster_of(crowded ? plain_nodes(3) : any_nodes(5));
  for (int i = *rc::gen::inRange(crowded ? 12 : 0, 24); i > 0; --i) {
    auto gang = place_gang(w.cluster, crowded ? plain_request(2) : any_request(), default_pool, 1);
    auto* places = std::get_if<std::vector<Allocation>>(&gang);
    if (places == nullptr) continue;
    auto const limit = *rc::gen::inRange(1, 20) * minute;
    auto const limited = *rc::gen::inRange(0, 5) != 0;
    w.start(std::move(*places), limited ? std::optional<WallMs>(limit) : std::nullopt,
            *rc::gen::inRange<WallMs>(1, limit + 1));
  }
  return w;
}

TEST(BackfillProperty, TheReservationIsTheEarliestInstantThatAnExhaustiveModelFinds) {
  int later = 0;
  ASSERT_TRUE(rc::check([&] {
    auto const crowded = *rc::gen::arbitrary<bool>();
    auto const w = any_world(crowded);
    auto const r = crowded ? plain_request(4) : any_request();
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
    std::set<WallMs> instants{w.now};
    for (auto const& [id, work] : w.running)
      if (work.ends_by) instants.insert(*work.ends_by);
    std::optional<WallMs> earliest;
    for (auto const at : instants) {
      auto then = w;
      for (auto const& [id, work] : w.running)
        if (work.ends_by && *work.ends_by <= at) then.end(id);
      if (place_gang(then.cluster, r, default_pool, tasks).index() == 0) earliest = at;
      if (earliest) break;
    }
    auto const reserved = w.reserve_for(r, tasks);
    RC_ASSERT(reserved.has_value() == earliest.has_value());
    if (!reserved) return;
    RC_ASSERT(reserved->starts_by_ms == *earliest);
    later += *earliest > w.now ? 1 : 0;
    auto then = w;
    for (auto const& [id, work] : w.running)
      if (work.ends_by && *work.ends_by <= *earliest) then.end(id);
    then.start(reserved->places, std::nullopt);
    then.cluster.check_invariants();
  }));
  EXPECT_GE(later, 5) << "reservations of a later instant";
}

// Whatever starts beside it, and however early work ends: it starts by its instant, and a new look
// never names a later one.
TEST(BackfillProperty, NothingDelaysTheFirstJob) {
  int waited = 0, started = 0;
  ASSERT_TRUE(rc::check([&] {
    auto const crowded = *rc::gen::inRange(0, 3) != 0;
    auto w = any_world(crowded);
    auto const head = crowded ? plain_request(4) : any_request();
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
    auto r = w.reserve_for(head, tasks);
    if (!r || r->starts_by_ms == w.now) return;
    ++waited;
    while (w.now < r->starts_by_ms) {
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        auto const limit = *rc::gen::inRange(1, 12) * minute;
        auto const until =
            *rc::gen::inRange(0, 4) == 0 ? std::nullopt : std::optional<WallMs>(w.now + limit);
        auto const members = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
        auto const request = crowded ? plain_request(2) : any_request();
        auto places = w.place_later(request, members, until, *r);
        if (!places) continue;
        ++started;
        w.start(std::move(*places), until, w.now + *rc::gen::inRange<WallMs>(1, limit + 1));
      }
      auto next = r->starts_by_ms;
      for (auto const& [id, work] : w.running)
        if (work.ends_by) next = std::min(next, work.ends);
      w.now = std::max(next, w.now);
      std::vector<JobId> over;
      for (auto const& [id, work] : w.running)
        if (work.ends_by && work.ends <= w.now) over.push_back(id);
      for (auto const& id : over) w.end(id);
      auto const again = w.reserve_for(head, tasks);
      RC_ASSERT(again.has_value());
      RC_ASSERT(again->starts_by_ms <= std::max(r->starts_by_ms, w.now));
      if (*rc::gen::inRange(0, 2) == 0) r = again;
    }
    RC_ASSERT(place_gang(w.cluster, head, default_pool, tasks).index() == 0);
  }));
  EXPECT_GE(waited, 10) << "first jobs that had to wait";
  EXPECT_GE(started, 10) << "later ones that started before them";
}

}  // namespace
}  // namespace lepton::deployer
