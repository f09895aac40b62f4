#include "services/deployer/relay.hpp"

#include <bit>

namespace lepton::deployer {
namespace {

constexpr std::size_t wishes_max = 1'000;
constexpr TimeMs wish_ms = 15'000;

}  // namespace

std::uint64_t new_ticket(actor::Context& c) {
  auto const bytes = c.entropy().array<sizeof(std::uint64_t)>();
  return std::bit_cast<std::uint64_t>(bytes);
}

Status Relay::check_room() const {
  if (wishes_.size() < wishes_max) return ok();
  return Error{Code::exhausted, "too many tasks are being asked at once; try again"};
}

std::uint64_t Relay::open(Wish wish, actor::Context& c) {
  auto const number = new_ticket(c);
  wishes_.emplace(number, std::move(wish));
  // Its caller is told by the deadline of the request.
  c.after(wish_ms, [this, number](actor::Context&) { wishes_.erase(number); });
  return number;
}

// Only from the node that was asked.
std::optional<Relay::Wish> Relay::close(NodeId const& from, std::uint64_t number) {
  auto const found = wishes_.find(number);
  if (found == wishes_.end() || found->second.node != from) return std::nullopt;
  auto wish = std::move(found->second);
  wishes_.erase(found);
  return wish;
}

void Relay::list(JobOutputs const& m, actor::Ticket<JobOutputs> ticket, actor::Context& c) {
  auto const place = tasks_.task_place(m.job, m.task, Verb::read, c);
  if (!place) return c.answer(ticket, place.error());
  if (auto room = check_room(); !room) return c.answer(ticket, room.error());
  auto const number = open({place->node, ticket, {}}, c);
  waiting_[place->node].push_back({number, place->attempt, "", m.after, 0, 0});
  tasks_.wake_node(place->node, c);
}

void Relay::read(JobOutputRead const& m, actor::Ticket<JobOutputRead> ticket, actor::Context& c) {
  auto const place = tasks_.task_place(m.job, m.task, Verb::read, c);
  if (!place) return c.answer(ticket, place.error());
  if (m.attempt != place->attempt)
    return c.answer(ticket, Error{Code::conflict, "the task has begun anew since; list it again"});
  if (m.path.empty()) return c.answer(ticket, Error{Code::invalid, "path: names no file"});
  if (auto room = check_room(); !room) return c.answer(ticket, room.error());
  auto const number = open({place->node, {}, ticket}, c);
  waiting_[place->node].push_back({number, place->attempt, m.path, "", m.offset, m.limit});
  tasks_.wake_node(place->node, c);
}

void Relay::give(NodeId const& node, NodeOrders& orders) {
  auto const found = waiting_.find(node);
  if (found == waiting_.end()) return;
  orders.outputs = std::move(found->second);
  waiting_.erase(found);
}

void Relay::take(NodeSync const& m, actor::Context& c) {
  for (auto const& part : m.outputs) {
    auto const wish = close(m.node, part.ticket);
    Error const refused{part.refused, part.why};
    auto const done = part.refused == Code::unknown;
    if (wish && wish->list) c.answer(*wish->list, done ? Result<OutputPage>(part.page) : refused);
    if (wish && wish->read) c.answer(*wish->read, done ? Result<OutputChunk>(part.chunk) : refused);
  }
}

}  // namespace lepton::deployer
