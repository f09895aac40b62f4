#include "services/node/node.hpp"
#include "common/base/planted.hpp"
#include "services/node/address.hpp"
#include "services/node/core/gang.hpp"

namespace lepton::node {

Node::Node(Settings settings, std::shared_ptr<Runner> runner, std::shared_ptr<Prober> prober,
           std::shared_ptr<FolderStore> folders, std::shared_ptr<OutputReader> outputs,
           std::shared_ptr<Executor> executor)
    : settings_(std::move(settings)),
      runner_(std::move(runner)),
      prober_(std::move(prober)),
      folders_(settings_.node, std::move(folders)),
      outputs_(std::move(outputs)),
      execs_(settings_.node, std::move(executor)) {}

// What an earlier life started is found first; only then does the node speak.
void Node::start(Context& c) {
  begin_incarnation(c);
  auto found = std::make_shared<std::vector<RunStatus>>();
  c.work([runner = runner_, found] { *found = runner->scan(); },
         [this, found](Context& later) { scanned(*found, later); });
}

// A new instance in the same process counts its syncs anew, and must not pass for the old one.
void Node::begin_incarnation(Context& c) {
  incarnation_ = settings_.incarnation + "-" + std::to_string(c.now()) + "-" +
                 std::to_string(c.chance().next());
}

void Node::scanned(std::vector<RunStatus> const& found, Context& c) {
  for (auto const& status : found) feed(status.attempt, input::StatusSeen{status}, c);
  c.log(actor::Level::info,
        "found " + std::to_string(found.size()) + " attempts of an earlier life");
  ready_ = true;
  tick(c);
  sync(c);
}

std::map<std::string, std::int64_t> Node::counters() const {
  std::int64_t live = 0;
  for (auto const& [id, entry] : attempts_) live += entry.final ? 0 : 1;
  return {{"attempts", static_cast<std::int64_t>(attempts_.size())}, {"attempts_live", live}};
}

void Node::tick(Context& c) {
  if (!std::exchange(polling_, true)) look(c);
  c.after(settings_.poll_ms, [this](Context& later) { tick(later); });
}

// One look at a time: a runner that is slow must not make looks pile up.
void Node::look(Context& c) {
  std::vector<std::string> live;
  for (auto const& [id, entry] : attempts_)
    if (!entry.final && entry.machine.phase == Phase::running) live.push_back(id);
  queue([live, this](Runner& runner) -> Continue {
    std::vector<Result<RunStatus>> seen;
    for (auto const& attempt : live) seen.push_back(runner.poll(attempt));
    return [this, live, seen](Context& later) {
      polling_ = false;
      for (std::size_t i = 0; i < live.size(); ++i) {
        if (seen[i])
          feed(live[i], input::StatusSeen{*seen[i]}, later);
        else if (seen[i].error().code == Code::not_found)
          feed(live[i], input::RunnerGone{}, later);
      }
    };
  });
  work(c);
}

// One batch of runner calls at a time, in order, away from this thread.
void Node::work(Context& c) {
  if (working_ || commands_.empty()) return;
  working_ = true;
  auto commands = std::make_shared<std::vector<Command>>(std::exchange(commands_, {}));
  auto results = std::make_shared<std::vector<Continue>>();
  c.work(
      [runner = runner_, commands, results] {
        for (auto const& command : *commands) results->push_back(command(*runner));
      },
      [this, results](Context& later) {
        working_ = false;
        for (auto const& then : *results) then(later);
        work(later);
        if (has_news_) news(later);
      });
}

void Node::feed(std::string const& attempt, Input const& input, Context& c) {
  auto& entry = attempts_[attempt];
  auto step = node::step(entry.machine, input);
  entry.machine = std::move(step.state);
  for (auto const& action : step.actions) act(attempt, action, c);
}

void Node::act(std::string const& attempt, Action const& action, Context& c) {
  auto& entry = attempts_.at(attempt);
  if (std::holds_alternative<action::StartRun>(action)) {
    start_run(attempt, c);
  } else if (auto const* renew = std::get_if<action::RenewLease>(&action)) {
    queue([attempt, until = renew->until_ms](Runner& runner) -> Continue {
      // An attempt that has ended needs no lease; its end is seen by the next poll.
      auto const renewed = runner.renew_lease(attempt, until);
      return [renewed, attempt](Context& later) {
        if (!renewed && renewed.error().code != Code::conflict)
          later.log(actor::Level::warning, "lease of " + attempt + ": " + renewed.error().what);
      };
    });
  } else if (auto const* stop = std::get_if<action::StopRun>(&action)) {
    queue([this, attempt, why = stop->why](Runner& runner) -> Continue {
      auto const asked = runner.request_stop(attempt, why);
      return [this, attempt, asked](Context& later) {
        if (!asked && asked.error().code == Code::not_found)
          feed(attempt, input::RunnerGone{}, later);
      };
    });
  } else if (auto const* report = std::get_if<action::Report>(&action)) {
    entry.reported = report->status;
    entry.has_report = true;
    entry.final = report->final;
    has_news_ = true;
  }
}

// The task is reported as starting meanwhile, and its lease goes on.
void Node::fetch_folder(std::string const& attempt, Context& c) {
  auto const wanted = [this, attempt] {
    auto const entry = attempts_.find(attempt);
    return entry != attempts_.end() && !entry->second.machine.stop_wanted;
  };
  auto const ready = [this, attempt](Result<std::string> const& path, Context& later) {
    auto& entry = attempts_.at(attempt);
    if (path) {
      entry.folder = *path;
      return start_run(attempt, later);
    }
    entry.order.reset();
    auto const code = path.error().code;
    auto const why = code == Code::conflict  ? EndReason::stopped
                     : code == Code::invalid ? EndReason::start_failed
                                             : EndReason::launch_lost;  // the machine's own fault
    feed(attempt, input::StartFailed{path.error().what, why}, later);
    news(later);
  };
  folders_.fetch(attempt, attempts_.at(attempt).order->spec.workdir, wanted, ready, c);
}

// Those of the NUMA node that the task's GPUs hang on, where it insists on one and the kernel says;
// else all.
std::string Node::cpus_near(StartOrder const& order) const {
  auto const& given = order.allocation.gpus;
  auto const& gpus = settings_.capacity.gpus;
  if (!order.spec.resources.where.one_numa || given.empty() || given[0].index >= gpus.size())
    return "";
  auto const cpus = settings_.numa_cpus.find(gpus[given[0].index].numa);
  return cpus == settings_.numa_cpus.end() ? "" : cpus->second;
}

RunSpec Node::run_spec(std::string const& attempt, StartOrder const& order, Context& c) const {
  auto const& entry = attempts_.at(attempt);
  RunSpec spec;
  spec.attempt = attempt;
  spec.task = order.task.value;
  spec.user = order.spec.user;
  spec.command = order.spec.command;
  spec.image = order.spec.image;
  spec.folder = entry.folder;
  spec.env = order.spec.env;
  auto const most = order.spec.nodes_max;
  for (auto& [name, value] : most > 0
                                 ? elastic_environment(order.index, order.size, most, order.gang)
                                 : gang_environment(order.index, order.gang))
    spec.env[name] = std::move(value);
  spec.cpu_milli = order.allocation.cpu_milli;
  spec.memory_mib = order.allocation.memory_mib;
  spec.pids_max = 4'096;
  for (auto const& share : order.allocation.gpus)
    if (auto const index = planted("gpu_of_another") ? 0 : share.index;
        index < settings_.capacity.gpus.size())
      spec.gpu_uuids.push_back(settings_.capacity.gpus[index].uuid);
  spec.cpus = cpus_near(order);
  for (auto const port : order.allocation.ports)
    spec.ports.push_back(static_cast<std::uint16_t>(port));
  auto const address = settings_.labels.find("address");
  spec.listen = listen_address(address == settings_.labels.end() ? "" : address->second);
  if (order.spec.gang_port && !spec.ports.empty()) spec.ports.pop_back();  // told as MASTER_PORT
  // The control plane ends it at its limit; this is the backstop of a node that is cut off.
  if (order.spec.max_duration_ms > 0) spec.max_duration_ms = order.spec.max_duration_ms + 5'000;
  spec.stop_grace_ms = order.spec.stop_grace_ms;
  spec.lease_ms = std::max<TimeMs>(1, entry.lease_until - c.now());
  spec.lease_until_ms = entry.lease_until;
  spec.autonomous = order.spec.autonomous || planted("lease_ignored");
  return spec;
}

void Node::start_run(std::string const& attempt, Context& c) {
  auto& entry = attempts_.at(attempt);
  LEPTON_CHECK(entry.order.has_value(), "a start without an order");
  if (!entry.order->spec.workdir.empty() && entry.folder.empty()) return fetch_folder(attempt, c);
  auto const order = std::move(*entry.order);
  entry.order.reset();
  auto const spec = run_spec(attempt, order, c);
  auto secrets = std::make_shared<Secrets>(order.secrets);
  queue([this, spec, secrets, attempt,
         has_folder = !spec.folder.empty()](Runner& runner) -> Continue {
    auto const started = runner.start(spec, *secrets);
    return [this, attempt, started, has_folder](Context& later) {
      if (started) return feed(attempt, input::Started{}, later);
      if (has_folder) folders_.drop(attempt, later);
      feed(attempt, input::StartFailed{started.error().what, reason_of(started.error().code)},
           later);
    };
  });
  work(c);
}

// Logs and outputs of ended attempts stay for a while; the oldest go first.
void Node::forget_oldest(Context& c) {
  while (ended_.size() > settings_.kept_max) {
    auto const attempt = ended_.front();
    ended_.pop_front();
    attempts_.erase(attempt);
    queue([attempt](Runner& runner) -> Continue {
      auto const removed = runner.remove(attempt);
      return [removed](Context& later) {
        if (!removed) later.log(actor::Level::warning, removed.error().what);
      };
    });
  }
  work(c);
}

}  // namespace lepton::node
