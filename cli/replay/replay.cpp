#include "cli/replay/replay.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <queue>
#include <thread>

#include <fmt/format.h>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/replay/audit_count.hpp"
#include "cli/replay/progress.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr TimeMs request_timeout_ms = 60'000;
constexpr TimeMs remove_timeout_ms = 120'000;
constexpr TimeMs audit_patience_ms = 20'000;
constexpr std::size_t nodes_per_message = 500;
constexpr TimeMs patience_ms = 60'000;  // with services that are away, for each question
constexpr TimeMs pause_min_ms = 200;
constexpr int exit_interrupted = 130;

volatile std::sig_atomic_t interrupted = 0;

Result<std::string> read_trace(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Error{Code::not_found, "cannot read the trace " + path +
                                      "; `lepton replay --help` says "
                                      "where traces are"};
  return std::string(std::istreambuf_iterator<char>(in), {});
}

template <class Parse>
auto parsed(std::string const& path, Parse parse) -> decltype(parse(std::string_view())) {
  auto const content = read_trace(path);
  if (!content) return content.error();
  auto result = parse(std::string_view(*content));
  if (!result) return Error{Code::invalid, path + ", " + result.error().what};
  return result;
}

std::string random_pool() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string name = "replay-";
  for (auto const octet : crypto::SystemEntropy().array<6>())
    name += letters[octet % letters.size()];
  return name;
}

Status declare(bus::Client& deployer, PoolId const& pool, std::vector<TraceNode> const& nodes) {
  NodeDeclare request{pool, {}};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto declaration = declaration_of(nodes[i], pool);
    if (!declaration) return declaration.error();
    request.nodes.push_back(std::move(*declaration));
    if (request.nodes.size() < nodes_per_message && i + 1 < nodes.size()) continue;
    if (auto declared = deployer.call(request, request_timeout_ms); !declared)
      return declared.error();
    request.nodes.clear();
  }
  return ok();
}

// The pods on their way through the deployer.
class Sending {
 public:
  Sending(bus::Client& client, PoolId pool, std::vector<TracePod> const& pods, ReplayReport& report)
      : client_(client), pool_(std::move(pool)), pods_(pods), report_(report) {}

  void run(ProgressBar& progress) {
    auto const begun = SteadyClock::now();
    crypto::SystemEntropy entropy;
    for (;;) {
      while (client_.room() > 0 && !again_.empty() && again_.top().first <= clock_.now_ms()) {
        send(again_.top().second);
        again_.pop();
      }
      while (client_.room() > 0 && next_ < pods_.size() && interrupted == 0) {
        requests_.push_back({crypto::uuid7(entropy, clock_.wall_ms()),
                             JobId{crypto::uuid7(entropy, clock_.wall_ms())}, SteadyClock::now()});
        send(next_++);
      }
      bool const all_sent = next_ == pods_.size() || interrupted != 0;
      if (all_sent && client_.in_flight() == 0 && again_.empty()) break;
      client_.pump(100);
      progress.show(ended());
    }
    report_.seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count();
    report_.submits_per_s = report_.seconds > 0 ? ended() / report_.seconds : 0;
    report_.submit_to_placed_p50_ms = percentile(latencies_ms_, 0.5);
    report_.submit_to_placed_p99_ms = percentile(latencies_ms_, 0.99);
  }

  std::set<std::string> const& acknowledged() const { return acknowledged_; }

 private:
  struct Request {
    std::string id;
    JobId job;
    SteadyClock::time_point sent_at;
  };
  using Due = std::pair<TimeMs, std::size_t>;

  std::uint32_t ended() const { return report_.placed + report_.refused + report_.failed; }

  void send(std::size_t index) {
    auto const& request = requests_[index];
    auto const sent = client_.submit<JobSubmit>(
        {request.job, spec_of(pods_[index], pool_)},
        [this, index](Result<JobAccepted> accepted) { take(index, std::move(accepted)); },
        request_timeout_ms, request.id);
    if (!sent) fail(sent.error());
  }

  void take(std::size_t index, Result<JobAccepted> accepted) {
    if (!accepted) return take_error(index, accepted.error());
    auto const& request = requests_[index];
    acknowledged_.insert(request.id);
    if (accepted->state == JobState::refused) {
      ++report_.refused;
    } else if (!accepted->nodes.empty()) {
      ++report_.placed;
      latencies_ms_.push_back(
          std::chrono::duration<double, std::milli>(SteadyClock::now() - request.sent_at).count());
    } else {
      fail({Code::internal,
            "neither placed nor refused, but " + std::string(schema::name_of(accepted->state))});
    }
  }

  // What is worth trying again is sent again under the same id, after the pause that the service
  // asks for.
  void take_error(std::size_t index, Error const& error) {
    auto const wanted_ms = client_.retry_after_ms();
    auto const waited = SteadyClock::now() - requests_[index].sent_at;
    bool const again = wanted_ms > 0 || is_passing(error.code);
    if (!again || waited > std::chrono::milliseconds(patience_ms) || interrupted != 0)
      return fail(error);
    again_.emplace(clock_.now_ms() + std::max(wanted_ms, pause_min_ms), index);
  }

  void fail(Error const& error) {
    ++report_.failed;
    ++report_.failures[error.what];
  }

  bus::Client& client_;
  PoolId pool_;
  std::vector<TracePod> const& pods_;
  ReplayReport& report_;
  SystemClock clock_;
  std::size_t next_ = 0;
  std::vector<Request> requests_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> again_;
  std::vector<double> latencies_ms_;
  std::set<std::string> acknowledged_;
};

Result<NodePage> room_of(bus::Client& deployer, PoolId const& pool) {
  SystemClock const clock;
  for (auto const since = clock.now_ms();;) {
    auto page = deployer.call(NodeList{pool, 0}, request_timeout_ms);
    bool const again = !page && is_passing(page.error().code);
    if (!again || clock.now_ms() - since > patience_ms || interrupted != 0) return page;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_min_ms));
  }
}

void note_room(bus::Client& deployer, PoolId const& pool, ReplayReport& report) {
  auto const page = room_of(deployer, pool);
  if (!page) {
    ++report.failures["the free GPUs are not known: " + page.error().what];
    return;
  }
  report.gpus = static_cast<double>(page->gpu_milli) / 1000;
  report.gpus_free = static_cast<double>(page->gpu_milli_free) / 1000;
  report.unallocated_gpu_percent = report.gpus > 0 ? 100 * report.gpus_free / report.gpus : 0;
}

class Replay {
 public:
  Replay(Shell& shell, ReplayOptions const& options) : shell_(shell), options_(options) {}

  Result<int> run() {
    auto const nodes = parsed(options_.nodes_file, parse_nodes);
    if (!nodes) return nodes.error();
    auto const pods = parsed(options_.pods_file, parse_pods);
    if (!pods) return pods.error();
    auto deployer = connect(shell_, Service::deployer, static_cast<int>(options_.window));
    if (!deployer) return deployer.error();
    auto auditor = connect(shell_, Service::auditor);
    if (!auditor) return auditor.error();
    auto const audit_from = audit_size(*auditor, shell_.timeout_ms());
    if (!audit_from) report_.audit_note = audit_from.error().what;

    PoolId const pool{options_.pool.empty() ? random_pool() : options_.pool};
    report_.pool = pool.value;
    report_.nodes = static_cast<std::uint32_t>(nodes->size());
    report_.pods = static_cast<std::uint32_t>(pods->size());
    shell_.say(fmt::format("replaying {} pods on {} simulated nodes in pool {}", pods->size(),
                           nodes->size(), pool.value));
    auto const declared = declare(*deployer, pool, *nodes);
    if (declared) play(*deployer, *auditor, pool, *pods, audit_from ? *audit_from : 0);
    if (!options_.keep) remove(*deployer, pool);
    if (!declared) return declared.error();
    emit(shell_, report_, report_sheet(report_));
    return finish(pool);
  }

 private:
  void play(bus::Client& deployer, bus::Client& auditor, PoolId const& pool,
            std::vector<TracePod> const& pods, std::uint64_t audit_from) {
    ProgressBar progress(shell_, "replayed", pods.size());
    Sending sending(deployer, pool, pods, report_);
    sending.run(progress);
    note_room(deployer, pool, report_);
    if (!report_.audit_note.empty()) return;
    auto const counted = count_audited(auditor, std::string(JobSubmit::topic), audit_from,
                                       sending.acknowledged(), audit_patience_ms, report_);
    if (!counted) report_.audit_note = counted.error().what;
  }

  void remove(bus::Client& deployer, PoolId const& pool) {
    auto const removed = deployer.call(PoolRemove{pool}, remove_timeout_ms);
    if (!removed)
      return shell_.say("warning: pool " + pool.value +
                        " was not removed: " + removed.error().what);
    shell_.say(fmt::format("pool {} removed: {} nodes, {} jobs ended", pool.value, removed->nodes,
                           removed->jobs));
  }

  int finish(PoolId const& pool) {
    shell_.next(options_.keep ? "lepton node list --pool " + pool.value : "lepton audit verify");
    if (interrupted != 0) return exit_interrupted;
    return report_.failed + report_.audit_missing + report_.audit_doubled > 0 ? exit_partial : 0;
  }

  Shell& shell_;
  ReplayOptions const& options_;
  ReplayReport report_;
};

}  // namespace

Result<int> replay(Shell& shell, ReplayOptions const& options) {
  if (options.window < 1 || options.window > 1000)
    return Error{Code::invalid, "--window must be from 1 to 1000"};
  // The first ^C ends the replay in order; the second one ends it at once.
  std::signal(SIGINT, [](int) {
    interrupted = 1;
    std::signal(SIGINT, SIG_DFL);
  });
  return Replay(shell, options).run();
}

}  // namespace lepton::cli
