#pragma once
// Messages about nodes: for people, and the sync by which a node reports and hears what it should
// run. The deployer owns and serves them.
//
// Conversation of a node (N the node, D the deployer), once a second or as soon as there is news:
//   sync = N:NodeSync ( D:NodeOrders / D:Refusal )    ; level-triggered: lost or doubled syncs do
//   no harm

#include "schemas/deployer.hpp"
#include "schemas/exec.hpp"
#include "schemas/gang.hpp"
#include "schemas/outputs.hpp"
#include "schemas/resize.hpp"

namespace lepton {

struct NodeView {
  NodeId node;
  PoolId pool;
  NodeState state = NodeState::unknown;
  std::string engine;
  NodeCapacity capacity;
  std::int64_t cpu_milli_free = 0;
  std::int64_t memory_mib_free = 0;
  std::int64_t gpu_milli_free = 0;
  std::uint32_t attempts = 0;
  std::int64_t heard_at_ms = 0;
  std::string detail;
  std::map<std::string, std::string> labels;
  std::vector<Taint> taints;
  NodeId machine;

  static consteval auto fields() {
    using schema::field;
    using T = NodeView;
    return schema::fields(
        field(1, "node", &T::node, "Name."), field(2, "pool", &T::pool, "Pool."),
        field(3, "state", &T::state, "State."),
        field(4, "engine", &T::engine, "process or simulated."),
        field(5, "capacity", &T::capacity, "What it has."),
        field(6, "cpu_milli_free", &T::cpu_milli_free, "CPU free, thousandths of a core."),
        field(7, "memory_mib_free", &T::memory_mib_free, "Memory free, MiB."),
        field(8, "gpu_milli_free", &T::gpu_milli_free, "GPU free, thousandths of one GPU."),
        field(9, "attempts", &T::attempts, "Attempts that hold something there."),
        field(10, "heard_at_ms", &T::heard_at_ms, "Last heartbeat, ms since 1970."),
        field(11, "detail", &T::detail, "What the node says of itself."),
        field(60, "labels", &T::labels, "Its labels, with what people have set.").since(3),
        field(61, "taints", &T::taints, "Taints that keep work away.").since(3),
        field(180, "machine", &T::machine, "What it is a slice of; empty: a machine.").since(5));
  }
};
static_assert(schema::complete<NodeView>());
struct NodePage {
  std::vector<NodeView> nodes;
  std::uint64_t total = 0;
  std::int64_t gpu_milli = 0;
  std::int64_t gpu_milli_free = 0;

  static consteval auto fields() {
    using schema::field;
    using T = NodePage;
    return schema::fields(
        field(1, "nodes", &T::nodes, "By name."),
        field(2, "total", &T::total, "How many match in all."),
        field(3, "gpu_milli", &T::gpu_milli, "GPU of the matching nodes, thousandths."),
        field(4, "gpu_milli_free", &T::gpu_milli_free, "Of these free."));
  }
};
static_assert(schema::complete<NodePage>());
struct NodeList {
  static constexpr std::string_view topic = "deployer.node.list";
  static constexpr Verb verb = Verb::list;
  using Reply = NodePage;
  PoolId pool;
  std::uint32_t limit = 100;

  std::string resource() const { return "node"; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeList;
    return schema::fields(
        field(1, "pool", &T::pool, "Only of this pool.").optional(),
        field(2, "limit", &T::limit, "At most so many.").bounds(0, 2000).optional());
  }
};
static_assert(schema::complete<NodeList>());
struct NodeChanged {
  NodeId node;
  NodeState state = NodeState::unknown;

  static consteval auto fields() {
    using schema::field;
    using T = NodeChanged;
    return schema::fields(field(1, "node", &T::node, "Name."),
                          field(2, "state", &T::state, "State now."));
  }
};
static_assert(schema::complete<NodeChanged>());
struct NodeDrain {
  static constexpr std::string_view topic = "deployer.node.drain";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = NodeChanged;
  NodeId node;
  bool drain = true;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeDrain;
    return schema::fields(field(1, "node", &T::node, "Name."),
                          field(2, "drain", &T::drain, "False takes the node back into use."));
  }
};
static_assert(schema::complete<NodeDrain>());
struct NodesDeclared {
  std::uint32_t nodes = 0;

  static consteval auto fields() {
    using schema::field;
    using T = NodesDeclared;
    return schema::fields(field(1, "nodes", &T::nodes, "How many nodes the message named."));
  }
};
static_assert(schema::complete<NodesDeclared>());
struct NodeDeclaration {
  NodeId node;
  NodeCapacity capacity;

  static consteval auto fields() {
    using schema::field;
    using T = NodeDeclaration;
    return schema::fields(field(1, "node", &T::node, "Name."),
                          field(2, "capacity", &T::capacity, "What it has."));
  }
};
static_assert(schema::complete<NodeDeclaration>());
// Nodes of the simulated engine, for replays and for trying things out.
struct NodeDeclare {
  static constexpr std::string_view topic = "deployer.node.declare";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = NodesDeclared;
  PoolId pool;
  std::vector<NodeDeclaration> nodes;

  std::string resource() const { return "pool/" + pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeDeclare;
    return schema::fields(field(1, "pool", &T::pool, "Pool of all of them; not `default`."),
                          field(2, "nodes", &T::nodes, "At most 500."));
  }
};
static_assert(schema::complete<NodeDeclare>());
struct PoolRemoved {
  std::uint32_t nodes = 0;
  std::uint32_t jobs = 0;

  static consteval auto fields() {
    using schema::field;
    using T = PoolRemoved;
    return schema::fields(field(1, "nodes", &T::nodes, "Nodes removed."),
                          field(2, "jobs", &T::jobs, "Jobs that were cancelled."));
  }
};
static_assert(schema::complete<PoolRemoved>());
// Ends all jobs of a simulated pool and forgets its nodes.
struct PoolRemove {
  static constexpr std::string_view topic = "deployer.pool.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = PoolRemoved;
  PoolId pool;

  std::string resource() const { return "pool/" + pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = PoolRemove;
    return schema::fields(field(1, "pool", &T::pool, "A pool of simulated nodes."));
  }
};
static_assert(schema::complete<PoolRemove>());
struct StartOrder {
  AttemptId attempt;
  TaskId task;
  JobId job;
  std::string owner;
  JobSpec spec;
  Allocation allocation;
  std::map<std::string, Secret<>> secrets;
  std::uint32_t index = 0;
  std::uint32_t size = 1;
  std::vector<GangMember> gang;

  static consteval auto fields() {
    using schema::field;
    using T = StartOrder;
    return schema::fields(field(1, "attempt", &T::attempt, "The attempt."),
                          field(2, "task", &T::task, "Its task: one runner at a time."),
                          field(3, "job", &T::job, "Its job."),
                          field(4, "owner", &T::owner, "Who submitted it."),
                          field(5, "spec", &T::spec, "What to run."),
                          field(6, "allocation", &T::allocation, "What it may use."),
                          field(7, "secrets", &T::secrets,
                                "Environment name to value, for this attempt on this node only."),
                          field(8, "index", &T::index, "Place in the gang."),
                          field(9, "size", &T::size, "Size of the gang."),
                          field(110, "gang", &T::gang,
                                "All tasks of the gang in their order; empty for a single task.")
                              .since(3));
  }
};
static_assert(schema::complete<StartOrder>());
struct StopOrder {
  AttemptId attempt;
  TaskId task;
  std::string why;
  bool unless_known = false;

  static consteval auto fields() {
    using schema::field;
    using T = StopOrder;
    return schema::fields(field(1, "attempt", &T::attempt, "The attempt."),
                          field(2, "task", &T::task, "Its task."),
                          field(3, "why", &T::why, "For its status."),
                          field(4, "unless_known", &T::unless_known,
                                "The node seems not to know it; one that does reports it again.")
                              .since(5));
  }
};
static_assert(schema::complete<StopOrder>());
struct LogOrder {
  std::uint64_t ticket = 0;
  AttemptId attempt;
  std::int64_t offset = 0;
  std::uint32_t limit = 0;

  static consteval auto fields() {
    using schema::field;
    using T = LogOrder;
    return schema::fields(field(1, "ticket", &T::ticket, "Returned with the chunk."),
                          field(2, "attempt", &T::attempt, "Whose log."),
                          field(3, "offset", &T::offset, "From which byte."),
                          field(4, "limit", &T::limit, "At most so many bytes."));
  }
};
static_assert(schema::complete<LogOrder>());
struct AttemptReport {
  AttemptId attempt;
  AttemptState state = AttemptState::unknown;
  bool final = false;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string reason;
  Readiness readiness = Readiness::unknown;
  SizeReport size;
  bool over_limit = false;

  static consteval auto fields() {
    using schema::field;
    using T = AttemptReport;
    return schema::fields(
        field(1, "attempt", &T::attempt, "The attempt."),
        field(2, "state", &T::state, "What became of it."),
        field(3, "final", &T::final, "It is over, and nothing of it lives."),
        field(4, "exit_code", &T::exit_code, "Exit code, when it exited."),
        field(5, "signal", &T::signal, "Signal that ended it; 0: none."),
        field(6, "reason", &T::reason, "A sentence for people."),
        field(40, "readiness", &T::readiness, "What its probes say.").since(2),
        field(180, "size", &T::size, "What became of orders for another size.").since(5),
        field(181, "over_limit", &T::over_limit, "It was ended for its limit of time.").since(5));
  }
};
static_assert(schema::complete<AttemptReport>());
struct LogPart {
  std::uint64_t ticket = 0;
  LogChunk chunk;

  static consteval auto fields() {
    using schema::field;
    using T = LogPart;
    return schema::fields(field(1, "ticket", &T::ticket, "Of the order."),
                          field(2, "chunk", &T::chunk, "What was there."));
  }
};
static_assert(schema::complete<LogPart>());
struct LeaseGrant {
  AttemptId attempt;
  std::int64_t lease_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using T = LeaseGrant;
    return schema::fields(field(1, "attempt", &T::attempt, "The attempt."),
                          field(2, "lease_ms", &T::lease_ms,
                                "Its lease, from the sending of the sync that this answers, ms."));
  }
};
static_assert(schema::complete<LeaseGrant>());
// Probes for an attempt that runs there; sent while the node reports that it has none.
struct ProbeOrder {
  AttemptId attempt;
  TaskId task;
  std::uint32_t port = 0;
  std::string user;
  Probes probes;

  static consteval auto fields() {
    using schema::field;
    using T = ProbeOrder;
    return schema::fields(
        field(1, "attempt", &T::attempt, "The attempt."), field(2, "task", &T::task, "Its task."),
        field(3, "port", &T::port, "Its first port; 0: it has none."),
        field(4, "user", &T::user, "Whom a command runs as; empty: the node's default."),
        field(5, "probes", &T::probes, "What to ask."));
  }
};
static_assert(schema::complete<ProbeOrder>());
struct NodeOrders {
  std::vector<LeaseGrant> leases;
  std::vector<StartOrder> starts;
  std::vector<StopOrder> stops;
  std::vector<AttemptId> acknowledged;
  std::vector<LogOrder> logs;
  NodeState state = NodeState::unknown;
  std::vector<ProbeOrder> probes;
  std::vector<OutputOrder> outputs;
  std::vector<ExecOrder> execs;
  std::vector<ResizeOrder> sizes;

  static consteval auto fields() {
    using schema::field;
    using T = NodeOrders;
    return schema::fields(
        field(1, "leases", &T::leases, "Attempts that may go on; what is not named runs out."),
        field(2, "starts", &T::starts, "To run; repeated until reported."),
        field(3, "stops", &T::stops, "To end; repeated until reported final."),
        field(4, "acknowledged", &T::acknowledged,
              "Final reports that are durable: the attempt may be removed."),
        field(5, "logs", &T::logs, "Logs to send with the next sync."),
        field(6, "state", &T::state, "How the control plane sees the node."),
        field(40, "probes", &T::probes, "For attempts that were reported without.").since(2),
        field(110, "outputs", &T::outputs, "Parts of outputs to send with the next sync.").since(3),
        field(170, "execs", &T::execs, "Commands to run beside tasks; repeated until claimed.")
            .since(4),
        field(180, "sizes", &T::sizes, "Other sizes for attempts; repeated until reported.")
            .since(5));
  }
};
static_assert(schema::complete<NodeOrders>());
struct NodeSync {
  static constexpr std::string_view topic = "deployer.node.sync";
  static constexpr Verb verb = Verb::write;
  using Reply = NodeOrders;
  NodeId node;
  std::string boot_id;
  std::string incarnation;
  std::uint64_t number = 0;
  PoolId pool;
  NodeCapacity capacity;
  std::map<std::string, std::string> labels;
  std::vector<AttemptReport> reports;
  std::vector<LogPart> logs;
  std::int64_t wait_ms = 0;
  bool leaving = false;
  std::vector<OutputPart> outputs;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeSync;
    return schema::fields(
        field(1, "node", &T::node, "Name; must be the caller's own."),
        field(2, "boot_id", &T::boot_id, "Changes with each boot: nothing survives one."),
        field(3, "incarnation", &T::incarnation, "Changes with each start of the node daemon."),
        field(4, "number", &T::number,
              "Counts up within the incarnation: an older one is ignored."),
        field(5, "pool", &T::pool, "Pool it wants to be in."),
        field(6, "capacity", &T::capacity, "What it has."),
        field(7, "labels", &T::labels, "What it says of itself."),
        field(8, "reports", &T::reports,
              "All attempts that it knows, live and not yet acknowledged."),
        field(9, "logs", &T::logs, "Asked-for logs."),
        field(10, "wait_ms", &T::wait_ms, "How long the answer may wait for news, ms.")
            .bounds(0, 20'000),
        field(11, "leaving", &T::leaving, "It stops taking work; its tasks go on."),
        field(110, "outputs", &T::outputs, "Asked-for parts of outputs.").since(3));
  }
};
static_assert(schema::complete<NodeSync>());
}  // namespace lepton
