#include "services/node/execs.hpp"

#include "common/base/passing.hpp"
#include "common/base/planted.hpp"
#include "schemas/exec_pieces.hpp"

namespace lepton::node {
namespace {

constexpr TimeMs look_ms = 25;     // between two looks at what commands print
constexpr TimeMs wait_ms = 2'000;  // of a question that may wait for input
constexpr TimeMs ask_timeout_ms = 4'000;
constexpr TimeMs retry_ms = 300;
constexpr TimeMs silence_max_ms = 15'000;
constexpr std::size_t asks_out_max = 2;  // one may wait while another brings output

}  // namespace

Execs::~Execs() {
  for (auto const& [exec, entry] : entries_)
    if (entry.begun && executor_) executor_->forget(exec);
}

void Execs::take(ExecOrder const& order, std::string const& incarnation, actor::Context& c) {
  if (entries_.contains(order.exec)) return;
  auto& entry = entries_[order.exec];
  entry.order = order;
  entry.incarnation = incarnation;
  entry.heard_at = c.now();
  ask(order.exec, c);
  if (planted("exec_begins_unclaimed")) begin(entry, c);
}

void Execs::ask(std::string const& exec, actor::Context& c) {
  auto& entry = entries_.at(exec);
  ExecReport m;
  m.node = node_;
  m.incarnation = entry.incarnation;
  m.exec = exec;
  m.output_offset = entry.output_offset;
  m.output.assign(entry.output.begin(), entry.output.end());
  m.input_taken = entry.input_taken;
  m.end = entry.end;
  m.wait_ms = entry.has_news ? 0 : wait_ms;
  entry.has_news = false;
  ++entry.asks_out;
  c.ask("deployer", m, ask_timeout_ms,
        [this, exec, told = m](Result<ExecInput> const& answer, actor::Context& later) {
          answered(exec, told, answer, later);
        });
}

void Execs::answered(std::string const& exec, ExecReport const& told,
                     Result<ExecInput> const& answer, actor::Context& c) {
  auto const found = entries_.find(exec);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  --entry.asks_out;
  if (!answer) return refused(exec, answer.error(), c);
  entry.heard_at = c.now();
  auto const taken = bytes_of(take_bytes(entry.output, answer->output_taken - entry.output_offset));
  entry.output_offset += taken;
  entry.output_bytes -= taken;
  // Its end is told after all output; it is known there when that was taken.
  if (told.end.ended && entry.output.empty()) return drop(exec);
  if (answer->stop && !entry.begun) return drop(exec);
  if (!entry.begun) begin(entry, c);
  if (answer->stop && !entry.end.ended) executor_->stop(exec, answer->why);
  take_input(entry, *answer);
  // After a stop only news go at once: the command takes its time to end.
  if (entry.asks_out == 0) return answer->stop ? ask_later(exec, c) : ask(exec, c);
}

void Execs::ask_later(std::string const& exec, actor::Context& c) {
  c.after(retry_ms, [this, exec](actor::Context& later) {
    auto const again = entries_.find(exec);
    if (again != entries_.end() && again->second.asks_out == 0) ask(exec, later);
  });
}

// What the deployer does not know must not run; while it is away, that is not sure.
void Execs::refused(std::string const& exec, Error const& error, actor::Context& c) {
  auto& entry = entries_.at(exec);
  if (!is_passing(error.code) || c.now() - entry.heard_at > silence_max_ms) return drop(exec);
  entry.has_news = true;
  ask_later(exec, c);
}

void Execs::begin(Entry& entry, actor::Context& c) {
  entry.begun = true;
  entry.until = c.now() + entry.order.limit_ms;
  auto const& order = entry.order;
  auto const begun = executor_
                         ? executor_->begin({order.exec, order.attempt.value, order.command})
                         : Status(Error{Code::invalid, "this node runs no commands beside tasks"});
  if (!begun) {
    entry.end = {true, -1, begun.error().what};
    entry.has_news = true;
  }
  if (executor_ && !std::exchange(looking_, true))
    c.after(look_ms, [this](actor::Context& later) { look(later); });
}

// Only what is new of it, and only as much as fits: the rest comes again.
void Execs::take_input(Entry& entry, ExecInput const& answer) {
  if (entry.end.ended || entry.input_ended || !executor_) return;
  auto const skip = entry.input_taken - answer.input_offset;
  auto const size = static_cast<std::int64_t>(answer.input.data.size());
  if (skip < 0 || skip > size) return;
  auto const part = std::string_view(answer.input.data).substr(static_cast<std::size_t>(skip));
  auto const fits = part.substr(0, executor_->room(entry.order.exec));
  auto const ended = answer.input_ended && fits.size() == part.size();
  entry.is_starved = fits.size() < part.size();
  if (fits.empty() && !ended) return;
  executor_->give(entry.order.exec, fits, ended);
  entry.input_taken += static_cast<std::int64_t>(fits.size());
  entry.input_ended = ended;
  entry.has_news = true;
}

void Execs::look(actor::Context& c) {
  looking_ = false;
  for (auto& [exec, entry] : entries_) {
    looking_ = looking_ || entry.begun;
    if (!entry.begun || entry.end.ended) continue;
    if (c.now() >= entry.until) executor_->stop(exec, "its limit of time has passed");
    if (fetch(entry)) entry.has_news = true;
    if (entry.is_starved && executor_->room(exec) > 0) {
      entry.is_starved = false;
      entry.has_news = true;
    }
  }
  for (auto& [exec, entry] : entries_)
    if (entry.has_news && entry.begun && entry.asks_out < asks_out_max) ask(exec, c);
  if (looking_) c.after(look_ms, [this](actor::Context& later) { look(later); });
}

bool Execs::fetch(Entry& entry) {
  auto const room = exec_part_max - entry.output_bytes;
  if (room <= 0 || entry.output.size() >= exec_pieces_max / 2) return false;
  auto news = executor_->fetch(entry.order.exec, static_cast<std::size_t>(room));
  entry.output_bytes += bytes_of(news.output);
  for (auto& piece : news.output) entry.output.push_back(std::move(piece));
  entry.end = news.end;
  return !news.output.empty() || news.end.ended;
}

void Execs::drop(std::string const& exec) {
  auto const found = entries_.find(exec);
  if (found->second.begun && executor_) executor_->forget(exec);
  entries_.erase(found);
}

}  // namespace lepton::node
