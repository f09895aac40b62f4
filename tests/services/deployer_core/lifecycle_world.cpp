// A small hostile world around the state machine of jobs: nodes that fall silent, reboot and
// return; messages that are lost, doubled, late and out of order; a deployer that restarts; a wall
// clock that jumps. Whatever happens: no two attempts of a task live at once, whatever lives holds
// its room, and when the faults end, the job ends.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/base/random.hpp"
#include "services/deployer/core/lifecycle.hpp"

namespace lepton::deployer {
namespace {

constexpr int node_count = 3;
constexpr std::int64_t step_ms = 700;

NodeId node_name(std::uint64_t i) {
  return {"n" + std::to_string(i)};
}

// A node as lifecycle.hpp asks of it: claims and ends are durable, old sessions are refused, and
// its runners end what has no lease.
struct World {
  struct Process {
    AttemptState state = AttemptState::starting;
    TimeMs stop_at = 0;  // 0: not told to stop
  };
  struct Machine {
    bool connected = true;
    bool silent = false;      // in the deployer's view
    TimeMs lease_from = 0;    // the node's own view: when it sent the last answered heartbeat
    TimeMs last_renewed = 0;  // the deployer's view
    std::uint64_t session = 1, granted_session = 1;
    std::map<AttemptId, Process> alive;
    std::map<AttemptId, Report> ended;  // also those that must not start any more
  };
  struct Command {
    Action action;
    std::uint64_t session = 0;
  };

  explicit World(std::uint64_t seed) : chance(seed) {
    spec.nodes = static_cast<std::uint32_t>(1 + chance.below(3));
    spec.lease_ms = 5000;
    spec.stop_grace_ms = 2000;
    spec.retry = {
        static_cast<std::uint32_t>(chance.below(4)), true, chance.below(4) != 0, {}, 1000};
    spec.max_duration_ms = chance.below(3) == 0 ? 20'000 : 0;
    spec.autonomous = chance.below(6) == 0;
  }

  Machine& machine(NodeId const& id) { return machines[std::stoul(id.value.substr(1))]; }
  Instant instant() const { return {now + wall_offset, now}; }

  void feed(Event const& e) { perform(apply(job, spec, run, e, instant())); }

  void perform(Actions const& actions) {
    for (auto const& a : actions) {
      if (a.kind == ActionKind::start) {
        ASSERT_FALSE(cancelled) << "started after a cancel";
        held.insert(a.attempt);
      }
      if (a.kind == ActionKind::start || a.kind == ActionKind::stop) send(a);
      if (a.kind == ActionKind::release) held.erase(a.attempt);
      if (a.kind == ActionKind::finish) ++finishes;
    }
  }

  // Orders are answers to heartbeats: a node that is silent is sent no start. It would carry the
  // number that the node gets when it is heard again, and be taken after the lease has run out.
  void send(Action const& a) {
    if (a.kind == ActionKind::start && machine(a.node).silent) return;
    commands.push_back({a, machine(a.node).granted_session});
  }

  void report(NodeId const& id, Report r) {
    r.from = id;
    reports.push_back(std::move(r));
  }

  void end_process(NodeId const& id, AttemptId const& attempt, Report r) {
    auto& m = machine(id);
    m.alive.erase(attempt);
    r.attempt = attempt;
    m.ended[attempt] = r;
    report(id, r);
  }

  bool leased(Machine const& m) const {
    return spec.autonomous || now <= m.lease_from + spec.lease_ms;
  }

  void deliver_command(std::size_t at, bool keep) {
    auto const c = commands[at];
    if (!keep) commands.erase(commands.begin() + static_cast<long>(at));
    auto& m = machine(c.action.node);
    auto const& attempt = c.action.attempt;
    if (auto const done = m.ended.find(attempt); done != m.ended.end())
      return report(c.action.node, done->second);
    auto const lives = m.alive.find(attempt);
    if (c.action.kind == ActionKind::stop) {
      if (lives == m.alive.end())
        return end_process(c.action.node, attempt, {{}, {}, AttemptState::lost, 0, 0, "not here"});
      if (lives->second.stop_at == 0) lives->second.stop_at = now;
      lives->second.state = AttemptState::stopping;
      return;
    }
    if (lives != m.alive.end()) return;
    if (c.session < m.session || !leased(m))
      return end_process(c.action.node, attempt, {{}, {}, AttemptState::lost, 0, 0, "too late"});
    m.alive[attempt] = {};
    report(c.action.node, {{}, attempt, AttemptState::starting, 0, 0, ""});
  }

  void run_processes(NodeId const& id) {
    auto& m = machine(id);
    auto const lives = m.alive;
    for (auto const& [attempt, p] : lives) {
      auto const out_of_lease = !spec.autonomous && now > m.lease_from + spec.lease_ms;
      if (out_of_lease && p.stop_at == 0) m.alive[attempt].stop_at = m.lease_from + spec.lease_ms;
      auto const stop_at = m.alive[attempt].stop_at;
      if (stop_at != 0 && (now >= stop_at + spec.stop_grace_ms || chance.below(3) == 0))
        end_process(id, attempt, {{}, {}, AttemptState::exited, 0, 15, "stopped"});
      else if (stop_at == 0 && chance.below(15) == 0)
        end_process(id, attempt,
                    {{}, {}, AttemptState::exited, chance.below(2) == 0 ? 1 : 0, 0, ""});
      else if (stop_at == 0 && p.state == AttemptState::starting) {
        m.alive[attempt].state = AttemptState::running;
        report(id, {{}, attempt, AttemptState::running, 0, 0, ""});
      }
    }
  }

  // A heartbeat that is answered: renews the lease and, after a silence, grants a new session.
  void heartbeat(NodeId const& id) {
    auto& m = machine(id);
    if (!m.connected) return;
    m.lease_from = std::max(m.lease_from, now - static_cast<TimeMs>(chance.below(600)));
    m.last_renewed = now;
    m.session = m.granted_session;
    if (m.silent) {
      m.silent = false;
      feed(NodeHeard{id});
      perform(outstanding(job, run, id));
    }
    for (auto const& [attempt, p] : m.alive) report(id, {{}, attempt, p.state, 0, 0, ""});
    for (auto const& [attempt, r] : m.ended) report(id, r);
  }

  void fall_silent(NodeId const& id) {
    auto& m = machine(id);
    if (m.connected || m.silent) return;
    m.silent = true;
    ++m.granted_session;
    feed(NodeSilent{id, m.last_renewed});
  }

  void reboot(NodeId const& id) {
    auto& m = machine(id);
    for (auto const& [attempt, p] : m.alive)
      m.ended[attempt] = {{}, attempt, AttemptState::lost, 0, 0, "the node rebooted"};
    m.alive.clear();
    if (!m.connected) return;
    m.session = ++m.granted_session;
    feed(NodeGone{id, ""});
  }

  void restart_deployer() {
    after_restart(run, {now + wall_offset, now});
    for (auto& m : machines) {
      m.silent = true;
      ++m.granted_session;
      m.last_renewed = now;
    }
  }

  void try_place() {
    if (run.state != JobState::queued || run.not_before_ms > now + wall_offset) return;
    std::vector<NodeId> heard;
    for (std::uint64_t i = 0; i < node_count; ++i)
      if (!machines[i].silent) heard.push_back(node_name(i));
    if (heard.empty()) return;
    Placed p;
    for (std::uint32_t i = 0; i < spec.nodes; ++i)
      p.nodes.push_back(heard[chance.below(heard.size())]);
    feed(p);
  }

  void cancel() {
    if (is_final(run.state)) return;
    feed(Cancel{"enough"});
    cancelled = true;
  }

  void take_report() {
    if (reports.empty()) return;
    auto const at = chance.below(reports.size());
    auto const r = reports[at];
    auto const fate = chance.below(10);
    if (fate != 0) reports.erase(reports.begin() + static_cast<long>(at));
    if (fate != 1) feed(r);
  }

  void take_command() {
    if (commands.empty()) return;
    auto const at = chance.below(commands.size());
    auto const fate = chance.below(10);
    if (fate == 1)
      commands.erase(commands.begin() + static_cast<long>(at));
    else
      deliver_command(at, fate == 0);
  }

  void hostile_step() {
    auto const id = node_name(chance.below(node_count));
    switch (chance.below(16)) {
      case 0:
        machine(id).connected = false;
        break;
      case 1:
        machine(id).connected = true;
        break;
      case 2:
        fall_silent(id);
        break;
      case 3:
        if (chance.below(4) == 0) reboot(id);
        break;
      case 4:
        if (chance.below(6) == 0) restart_deployer();
        break;
      case 5:
        if (chance.below(60) == 0) cancel();
        if (chance.below(20) == 0) feed(Preempt{"other work"});
        break;
      case 6:
        if (chance.below(4) == 0)
          wall_offset += static_cast<WallMs>(chance.below(100'000)) - 20'000;
        break;
      case 7:
        perform(outstanding(job, run));
        break;
      case 8:
        heartbeat(id);
        break;
      case 9:
        feed(Tick{});
        break;
      case 10:
        try_place();
        break;
      case 11:
      case 12:
        take_command();
        break;
      default:
        take_report();
    }
  }

  void calm_step() {
    for (auto& m : machines) m.connected = true;
    for (std::uint64_t i = 0; i < node_count; ++i) heartbeat(node_name(i));
    for (auto const n = commands.size(); auto k : std::vector<int>(n)) deliver_command(0, k != 0);
    for (auto const& r : std::exchange(reports, {})) feed(r);
    feed(Tick{});
    perform(outstanding(job, run));
    try_place();
  }

  void advance() {
    now += static_cast<TimeMs>(chance.below(step_ms));
    for (std::uint64_t i = 0; i < node_count; ++i) run_processes(node_name(i));
  }

  void check() const {
    std::map<std::uint32_t, int> lives;
    for (auto const& m : machines)
      for (auto const& [attempt, p] : m.alive) {
        ++lives[parse_attempt(attempt)->index];
        ASSERT_TRUE(held.contains(attempt)) << attempt.value << " lives without room";
      }
    for (auto const& [index, n] : lives) ASSERT_EQ(n, 1) << "two attempts of task " << index;
    ASSERT_LE(run.failures, spec.retry.max);
    ASSERT_LE(run.interruptions, max_interruptions);
    ASSERT_EQ(finishes, is_final(run.state) ? 1 : 0);
  }

  JobId job{"job"};
  JobSpec spec;
  JobRun run;
  Chance chance;
  TimeMs now = 1'000'000;
  WallMs wall_offset = 1'700'000'000'000;
  Machine machines[node_count];
  std::vector<Command> commands;
  std::vector<Report> reports;
  std::set<AttemptId> held;
  bool cancelled = false;
  int finishes = 0;
};

TEST(LifecycleWorld, NoTwoAttemptsOfATaskLiveAtOnce) {
  std::map<JobState, int> ends;
  std::uint64_t rounds = 0, preemptions = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World w(seed);
    for (auto& m : w.machines) m.lease_from = m.last_renewed = w.now;
    for (int i = 0; i < 1500; ++i) {
      w.hostile_step();
      if (i % 3 == 0) w.advance();
      w.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    for (int i = 0; i < 20'000 && !is_final(w.run.state); ++i) {
      w.calm_step();
      w.advance();
      w.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_TRUE(is_final(w.run.state)) << "stuck in " << schema::name_of(w.run.state);
    ASSERT_TRUE(w.held.empty()) << "room was not given back";
    if (w.cancelled) {
      ASSERT_EQ(w.run.state, JobState::cancelled);
    }
    ++ends[w.run.state];
    rounds += w.run.round;
    preemptions += w.run.preemptions;
  }
  // The world must be rich enough to mean something.
  for (auto s : {JobState::succeeded, JobState::failed, JobState::cancelled})
    EXPECT_GT(ends[s], 20);
  EXPECT_GT(rounds, 2000u);
  EXPECT_GT(preemptions, 100u);
}

}  // namespace
}  // namespace lepton::deployer
