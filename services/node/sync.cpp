// The conversation with the deployer: what this node knows, and what it should do.

#include <algorithm>

#include "common/base/passing.hpp"
#include "services/node/node.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t parts_max = 2;      // of outputs, 1 MiB each, with one sync
constexpr std::size_t syncs_out_max = 2;  // one may wait for news while another brings some

// Of a start that failed. Else it was told to stop before, came too late, met the rest of an
// attempt before it, or its launch was cut off.
bool is_own_fault(EndReason reason) {
  return reason == EndReason::start_failed || reason == EndReason::unknown;
}

lepton::AttemptState state_of(RunStatus const& status) {
  switch (status.state) {
    case RunState::starting:
      return lepton::AttemptState::starting;
    case RunState::running:
      return lepton::AttemptState::running;
    case RunState::ending:
      return lepton::AttemptState::stopping;
    case RunState::exited:
      if (status.reason == EndReason::lease_expired) return lepton::AttemptState::lost;
      // Neither a code nor a signal: nothing ran, such as a container whose image cannot be had.
      return status.exit_code < 0 && status.signal == 0 ? lepton::AttemptState::failed
                                                        : lepton::AttemptState::exited;
    case RunState::failed_to_start:
      return is_own_fault(status.reason) ? lepton::AttemptState::failed
                                         : lepton::AttemptState::lost;
    case RunState::lost:
      return lepton::AttemptState::lost;
    case RunState::unknown:
      break;
  }
  return lepton::AttemptState::starting;
}

AttemptReport report_of(std::string const& attempt, RunStatus const& status, bool final) {
  AttemptReport r;
  r.attempt = AttemptId{attempt};
  r.state = state_of(status);
  r.final = final;
  r.exit_code = std::max(0, status.exit_code);
  r.signal = status.signal;
  r.over_limit = final && status.reason == EndReason::time_limit;
  r.reason = status.what;
  if (r.reason.empty() && final && status.reason != EndReason::exited)
    r.reason = std::string(schema::name_of(status.reason));
  return r;
}

// Not one that was refused, nor another one of a deployer that is older than tickets.
bool is_obeyed(ResizeOrder const& order, SizeReport const& report) {
  return report.ticket == order.ticket && report.size == order.size;
}

}  // namespace

NodeSync Node::report() const {
  NodeSync m;
  m.node = settings_.node;
  m.boot_id = settings_.boot_id;
  m.incarnation = incarnation_;
  m.number = number_;
  m.pool = settings_.pool;
  m.capacity = settings_.capacity;
  m.labels = settings_.labels;
  for (auto const& [id, entry] : attempts_)
    if (entry.has_report && !entry.acknowledged) {
      m.reports.push_back(report_of(id, entry.reported, entry.final));
      m.reports.back().readiness = readiness_of(id);
      m.reports.back().size = entry.size;
    }
  m.logs = logs_;
  return m;
}

// Something the control plane should hear at once.
void Node::news(Context& c) {
  has_news_ = true;
  if (ready_ && syncs_out_ < syncs_out_max) sync(c);
}

void Node::sync(Context& c) {
  ++number_;
  ++syncs_out_;
  auto message = report();
  message.wait_ms = has_news_ ? 0 : settings_.beat_ms;
  has_news_ = false;
  auto const told = std::exchange(logs_, {});
  while (!output_parts_.empty() && message.outputs.size() < parts_max) {
    message.outputs.push_back(std::move(output_parts_.front()));
    output_parts_.pop_front();
  }
  has_news_ = !output_parts_.empty();
  c.ask("deployer", message, settings_.sync_timeout_ms,
        [this, number = number_, sent_at = c.now(), told, parts = message.outputs](
            Result<NodeOrders> orders, Context& later) {
          --syncs_out_;
          if (!orders) logs_.insert(logs_.begin(), told.begin(), told.end());
          if (!orders) output_parts_.insert(output_parts_.begin(), parts.begin(), parts.end());
          answered(number, sent_at, orders, later);
        });
}

void Node::answered(std::uint64_t number, TimeMs sent_at, Result<NodeOrders> const& orders,
                    Context& c) {
  constexpr TimeMs pause_ms = 500;
  if (!orders) {
    // Two syncs may overtake each other; the older one is refused, and nothing is wrong. When it is
    // the newest, the deployer takes a late sync of an earlier daemon for ours: it has forgotten in
    // a restart who is newer. A fresh incarnation cannot be mistaken.
    if (orders.error().code == Code::conflict && number == number_) begin_incarnation(c);
    if (trouble_ != orders.error().what && orders.error().code != Code::conflict)
      c.log(actor::Level::warning, "the deployer did not take the sync: " + orders.error().what);
    trouble_ = orders.error().what;
    has_news_ = true;
    if (syncs_out_ == 0)
      c.after(pause_ms, [this](Context& later) {
        if (syncs_out_ == 0) sync(later);
      });
    return;
  }
  trouble_.clear();
  if (number > applied_) {
    applied_ = number;
    obey(*orders, sent_at, c);
  }
  if (syncs_out_ == 0 || has_news_) sync(c);
}

void Node::obey(NodeOrders const& orders, TimeMs sent_at, Context& c) {
  *settings_.ordered = orders.state;
  for (auto const& id : orders.acknowledged) {
    auto const entry = attempts_.find(id.value);
    if (entry == attempts_.end() || !entry->second.final || entry->second.acknowledged) continue;
    feed(id.value, input::ReportAcked{}, c);
    entry->second.acknowledged = true;
    ended_.push_back(id.value);
  }
  for (auto const& grant : orders.leases) {
    auto const entry = attempts_.find(grant.attempt.value);
    if (entry == attempts_.end() || entry->second.final) continue;
    auto const until = sent_at + grant.lease_ms;
    // A quarter of a lease at a time: renewals are small writes, but not free. When less than half
    // of it is left, each counts: the next answer may come too late.
    auto const known = entry->second.lease_until;
    if (until - known < grant.lease_ms / 4 && known - c.now() > grant.lease_ms / 2) continue;
    entry->second.lease_until = until;
    feed(grant.attempt.value, input::LeaseGranted{until}, c);
  }
  for (auto const& stop : orders.stops) take_stop(stop, c);
  for (auto const& start : orders.starts) take_start(start, sent_at, c);
  for (auto const& probes : orders.probes) take_probe(probes, c);
  for (auto const& order : orders.sizes) take_size(order, c);
  for (auto const& log : orders.logs) read_log(log, c);
  for (auto const& order : orders.outputs) read_output(order, c);
  for (auto const& order : orders.execs) execs_.take(order, incarnation_, c);
  forget_oldest(c);
}

// A sync may arrive late, at a new life of the deployer, and not know yet what runs here.
void Node::take_stop(StopOrder const& order, Context& c) {
  auto const& attempt = order.attempt.value;
  auto const known = attempts_.find(attempt);
  if (order.unless_known && known != attempts_.end() && !known->second.final)
    has_news_ = true;
  else
    feed(attempt, input::StopWanted{attempt, order.task.value, order.why}, c);
}

// A start whose lease has run out on its way is not taken: by now the task may run elsewhere.
void Node::take_start(StartOrder const& order, TimeMs sent_at, Context& c) {
  auto const& attempt = order.attempt.value;
  if (attempts_.contains(attempt)) {
    has_news_ = true;  // it was reported, or will be; say it again
    return;
  }
  auto const until = sent_at + order.spec.lease_ms;
  if (until <= c.now()) return;
  auto& entry = attempts_[attempt];
  entry.order = order;
  entry.lease_until = until;
  feed(attempt, input::LeaseGranted{until}, c);
  feed(attempt, input::Assigned{attempt, order.task.value}, c);
}

// An order for the size that should hold goes to the runner, too: another one may be before it
// there. A refusal lasts as long as the deployer insists: what was in use may be free again.
void Node::take_size(ResizeOrder const& order, Context& c) {
  auto const found = attempts_.find(order.attempt.value);
  if (found == attempts_.end() || found->second.final) return;
  auto& entry = found->second;
  if (entry.resizing ? *entry.resizing == order : is_obeyed(order, entry.size)) return;
  entry.resizing = order;
  queue([this, order](Runner& runner) -> Continue {
    auto const done =
        runner.resize(order.attempt.value, {order.size.cpu_milli, order.size.memory_mib});
    return [this, order, done](Context& later) { note_size(order, done, later); };
  });
  work(c);
}

// After a failure nobody knows which size holds. Trouble that passes answers nothing. It and a
// repeated refusal are told with the next sync, and tried again with the answer to that.
void Node::note_size(ResizeOrder const& order, Status const& done, Context& c) {
  auto const found = attempts_.find(order.attempt.value);
  if (found == attempts_.end()) return;
  auto& entry = found->second;
  if (entry.resizing == order) entry.resizing.reset();
  auto const before = entry.size;
  if (done)
    entry.size = {order.size, {}, "", order.ticket};
  else if (is_passing(done.error().code))
    entry.size = {{}, {}, done.error().what, before.ticket};
  else
    entry.size = {{}, order.size, done.error().what, order.ticket};
  if (entry.size.size != before.size || entry.size.refused != before.refused ||
      entry.size.ticket != before.ticket)
    news(c);
}

void Node::read_log(LogOrder const& order, Context& c) {
  queue([this, order](Runner& runner) -> Continue {
    auto part = runner.read_log(order.attempt.value, order.offset, order.limit);
    return [this, order, part](Context& later) {
      LogChunk chunk;
      chunk.offset = order.offset;
      chunk.next = part ? part->next_offset : order.offset;
      if (part) chunk.text.data = part->text;
      auto const entry = attempts_.find(order.attempt.value);
      auto const over = entry == attempts_.end() || entry->second.final;
      chunk.ended = over && (!part || part->at_end);
      if (!part) chunk.note = part.error().what;
      logs_.push_back({order.ticket, std::move(chunk)});
      news(later);
    };
  });
  work(c);
}

// Not among the runner's calls: a slow disk must not hold leases back.
void Node::read_output(OutputOrder const& order, Context& c) {
  auto part = std::make_shared<OutputPart>();
  part->ticket = order.ticket;
  auto const note = [part](auto const& result, auto& value) {
    if (result) {
      value = *result;
    } else {
      part->refused = result.error().code;
      part->why = result.error().what;
    }
  };
  c.work(
      [reader = outputs_, order, part, note] {
        auto const& attempt = order.attempt.value;
        if (!reader)
          note(Result<OutputPage>(Error{Code::invalid, "this node shows no outputs"}), part->page);
        else if (order.path.empty())
          note(reader->list(attempt, order.after), part->page);
        else
          note(reader->read(attempt, order.path, order.offset, order.limit), part->chunk);
      },
      [this, part](Context& later) {
        output_parts_.push_back(std::move(*part));
        news(later);
      });
}

}  // namespace lepton::node
