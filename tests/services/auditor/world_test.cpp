// The auditor in a hostile world: whatever is lost, repeated or crashed, each acknowledged change
// of a source has exactly one entry, and the log on disk is whole after every event.

#include <set>

#include "tests/common/sim/counter.hpp"
#include "tests/services/auditor/rig.hpp"

namespace lepton::auditor::testing {
namespace {

sim::Maker auditor_maker() {
  return [](sim::Machine& machine) {
    auto system = std::make_unique<actor::System>(actor::SystemSettings{.service = "auditor"},
                                                  machine.ports());
    Settings settings{.key = log_key(), .origin = origin};
    settings.sources = {"auditor", "counter"};
    settings.page_max = 7;
    system->add("auditor", [settings] { return std::make_unique<Auditor>(settings); }, {});
    return sim::Built(std::move(system));
  };
}

std::set<std::string> acked(sim::World const& world) {
  std::set<std::string> ids;
  for (auto const& sent : world.history())
    if (sent.topic == test::Add::topic && sent.outcome == sim::Outcome::acked) ids.insert(sent.id);
  return ids;
}

void expect_every_change_once(sim::World& world) {
  std::multiset<std::string> entered;
  for (auto const& row : test::rows_of<EntryRow>(world.disk("auditor")))
    if (row.action == test::Add::topic && row.outcome == "done") entered.insert(row.request_id);
  for (auto const& id : acked(world))
    if (entered.count(id) != 1)
      world.fail("request " + id + " has " + std::to_string(entered.count(id)) + " entries");
  for (auto const& id : entered)
    if (entered.count(id) != 1) world.fail("request " + id + " was entered twice");
}

std::size_t entered_denials(sim::World const& world) {
  std::size_t count = 0;
  for (auto const& row : test::rows_of<EntryRow>(world.disk("auditor")))
    if (row.source == "auditor" && row.outcome == "denied") ++count;
  return count;
}

std::uint64_t run(std::uint64_t seed, sim::Faults const& faults) {
  sim::World world(seed, faults);
  world.set_gate([](actor::Caller const& caller, Verb, std::string_view) -> Status {
    if (caller.name == "eve") return Error{Code::denied, "not for eve"};
    return ok();
  });
  world.add_process("counter", test::counter_maker());
  world.add_process("auditor", auditor_maker());
  auto& ann = world.add_client("ann");
  auto& eve = world.add_client("eve");
  for (int i = 0; i < 60; ++i) {
    world.at(i * 200, [&] { ann.send("counter", test::Add{1}); });
    if (i % 20 == 0) world.at(i * 200, [&] { eve.send("auditor", AuditTail{}); });
  }
  std::size_t entries = 0;
  world.after_each_event([&entries](sim::World& w) {
    auto const& disk = w.disk("auditor");
    if (std::exchange(entries, disk.rows("entry").size()) == disk.rows("entry").size()) return;
    if (auto const why = problem_of(disk, log_key()); !why.empty()) w.fail(why);
  });
  world.run_for(12'001);
  world.heal();
  auto const caught_up = [&] {
    auto const* counter = world.system("counter")->host("counter").outlet("audit");
    auto const* own = world.system("auditor")->host("auditor").outlet("audit");
    return ann.open() + eve.open() == 0 && counter->acknowledged() == counter->head() &&
           own->acknowledged() == own->head();
  };
  if (!world.run_until(caught_up, 120'000))
    world.fail("the auditor does not catch up in a healed world");
  expect_every_change_once(world);
  std::size_t denied = 0;
  for (auto const& sent : world.history())
    if (sent.topic == AuditTail::topic && sent.refusal.code == Code::denied) ++denied;
  EXPECT_GE(entered_denials(world), denied);
  EXPECT_EQ(problem_of(world.disk("auditor"), log_key()), "");
  return world.trace();
}

TEST(AuditorWorld, EveryChangeHasOneEntryWithoutFaults) {
  run(1, sim::Faults::none());
}

TEST(AuditorWorld, EveryChangeHasOneEntryUnderASwarmOfFaults) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    ASSERT_NO_THROW(run(seed, sim::Faults::draw(seed)));
}

TEST(AuditorWorld, TheSameSeedGivesTheSameRun) {
  EXPECT_EQ(run(4, sim::Faults::draw(4)), run(4, sim::Faults::draw(4)));
}

}  // namespace
}  // namespace lepton::auditor::testing
