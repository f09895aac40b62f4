#pragma once
// The node: the hands on one machine. It dials out to the deployer, tells once a second (or at
// once, when there is news) what it has and which attempts it knows, and does what the answer says.
// Keeps no rows: what it must remember stands in the attempts' folders, so that it finds everything
// again after a restart.
//
// The runner's calls may block, so they go to a worker thread, one batch at a time. Orders are
// taken from the newest answered sync only: an older answer that comes late could start what has
// been stopped since. A lease runs from the sending of the sync that granted it.
//
// Files: node.cpp life and work; sync.cpp reports and orders; probes.cpp probes of replicas.
// Parts of their own: folders.hpp working folders; execs.hpp commands beside tasks.

#include <deque>
#include <map>
#include <memory>

#include "common/actor/actor.hpp"
#include "schemas/node.hpp"
#include "services/node/access/output_reader.hpp"
#include "services/node/core/attempt.hpp"
#include "services/node/execs.hpp"
#include "services/node/folders.hpp"
#include "services/node/probe/prober.hpp"
#include "services/node/runner/runner.hpp"
#include "services/node/telemetry/numa.hpp"

namespace lepton::node {

struct Settings {
  NodeId node;
  PoolId pool{"default"};
  NodeCapacity capacity;
  NumaCpus numa_cpus;  // for tasks that are kept near their GPUs
  std::map<std::string, std::string> labels;
  std::string boot_id;
  std::string incarnation;
  TimeMs beat_ms = 1'000;  // how long an answer may wait for news
  TimeMs sync_timeout_ms = 4'000;
  TimeMs poll_ms = 250;   // between two looks at what runs
  TimeMs probe_ms = 100;  // between two looks at what probes say
  std::shared_ptr<NodeState> ordered = std::make_shared<NodeState>();  // the last answer's
  std::size_t kept_max = 200;  // ended attempts whose logs and outputs are kept
};

class Node final : public actor::Actor {
 public:
  // Without a prober no probes are asked, and nothing that has some is ready.
  // Without a store of folders no attempt that wants one can start; without an executor no command
  // runs beside a task.
  Node(Settings settings, std::shared_ptr<Runner> runner, std::shared_ptr<Prober> prober = nullptr,
       std::shared_ptr<FolderStore> folders = nullptr,
       std::shared_ptr<OutputReader> outputs = nullptr,
       std::shared_ptr<Executor> executor = nullptr);

  void start(actor::Context& c) override;
  std::map<std::string, std::int64_t> counters() const override;

 private:
  using Context = actor::Context;
  using Continue = actor::Continue;
  using Command = std::function<Continue(Runner&)>;  // on a worker; its result back here

  struct Entry {
    AttemptState machine;
    std::optional<StartOrder> order;  // until it was started; holds its secrets
    std::string folder;               // built for it, where its spec names one
    RunStatus reported;
    bool has_report = false;
    bool final = false;
    bool acknowledged = false;
    TimeMs lease_until = 0;
    SizeReport size;
    std::optional<ResizeOrder> resizing;  // the newest that waits for the runner
  };

  // node.cpp
  void begin_incarnation(Context& c);
  void scanned(std::vector<RunStatus> const& found, Context& c);
  void tick(Context& c);
  void look(Context& c);
  void feed(std::string const& attempt, Input const& input, Context& c);
  void act(std::string const& attempt, Action const& action, Context& c);
  void fetch_folder(std::string const& attempt, Context& c);
  void start_run(std::string const& attempt, Context& c);
  std::string cpus_near(StartOrder const& order) const;
  RunSpec run_spec(std::string const& attempt, StartOrder const& order, Context& c) const;
  void queue(Command command) { commands_.push_back(std::move(command)); }
  void work(Context& c);
  void forget_oldest(Context& c);

  // sync.cpp
  void sync(Context& c);
  void news(Context& c);
  NodeSync report() const;
  void answered(std::uint64_t number, TimeMs sent_at, Result<NodeOrders> const& orders, Context& c);
  void obey(NodeOrders const& orders, TimeMs sent_at, Context& c);
  void take_stop(StopOrder const& order, Context& c);
  void take_start(StartOrder const& order, TimeMs sent_at, Context& c);
  void take_size(ResizeOrder const& order, Context& c);
  void note_size(ResizeOrder const& order, Status const& done, Context& c);
  void read_log(LogOrder const& order, Context& c);
  void read_output(OutputOrder const& order, Context& c);

  // probes.cpp
  struct Probed {
    Probing machine;
    std::string task;
    std::uint32_t port = 0;
  };
  void take_probe(ProbeOrder const& order, Context& c);
  void probe(Context& c);
  void take_answer(ProbeDone const& done, Context& c);
  Readiness readiness_of(std::string const& attempt) const;

  Settings settings_;
  std::string incarnation_;
  std::shared_ptr<Runner> runner_;
  std::shared_ptr<Prober> prober_;
  Folders folders_;
  std::shared_ptr<OutputReader> outputs_;
  Execs execs_;
  std::map<std::string, Probed> probed_;  // by attempt
  bool probing_ = false;
  std::map<std::string, Entry> attempts_;
  std::deque<std::string> ended_;  // acknowledged, oldest first
  std::vector<Command> commands_;
  bool working_ = false;
  bool polling_ = false;
  bool ready_ = false;
  std::uint64_t number_ = 0;   // of the last sync
  std::uint64_t applied_ = 0;  // whose answer was obeyed last
  std::size_t syncs_out_ = 0;
  bool has_news_ = false;
  std::vector<lepton::LogPart> logs_;
  std::deque<OutputPart> output_parts_;  // a few go with each sync
  std::string trouble_;                  // last refusal, to be logged once
};

}  // namespace lepton::node
