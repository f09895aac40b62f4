#include "common/sim/client.hpp"

#include <fmt/format.h>

#include "common/sim/world.hpp"

namespace lepton::sim {

Client::Client(World& world, PartyIndex index, std::string name, std::uint64_t seed)
    : world_(world), index_(index), name_(std::move(name)), chance_(seed) {}

std::size_t Client::send_encoded(std::string peer, std::string topic, std::string body,
                                 SendOptions options, Ended ended) {
  auto const id = options.id.empty() ? fmt::format("{:016x}{:016x}", chance_.next(), chance_.next())
                                     : options.id;
  LEPTON_CHECK(!open_.contains(id), "a request of this id is open; wait for its end");
  auto& history = world_.history_;
  Sent sent;
  sent.client = name_;
  sent.peer = std::move(peer);
  sent.topic = std::move(topic);
  sent.id = id;
  sent.body = std::move(body);
  sent.sent_at = world_.now();
  sent.attempts = options.earlier;
  history.push_back(std::move(sent));
  auto const deadline_at = world_.now() + options.deadline_ms;
  open_[id] = {history.size() - 1, std::move(options), deadline_at, 0, std::move(ended)};
  world_.at(deadline_at - world_.now(), [this, id, place = history.size() - 1] {
    auto const open = open_.find(id);
    if (open != open_.end() && open->second.place == place) end(id, Outcome::timeout);
  });
  transmit(id);
  return history.size() - 1;
}

void Client::transmit(std::string const& id) {
  auto& open = open_.at(id);
  auto& sent = world_.history_[open.place];
  Header header;
  header.kind = Kind::request;
  header.topic = sent.topic;
  header.id = id;
  header.deadline_ms = open.deadline_at - world_.now();
  header.attempt = ++sent.attempts;
  world_.send(index_, sent.peer, header, sent.body);
  auto const step = open.options.resend_ms << std::min(sent.attempts - 1, 3u);
  auto const jitter = chance_.below(static_cast<std::uint64_t>(step) + 1);
  resend_after(id, step / 2 + static_cast<TimeMs>(jitter));
}

void Client::resend_after(std::string const& id, TimeMs delay_ms) {
  auto& open = open_.at(id);
  auto const timer = ++open.timer;
  world_.at(delay_ms, [this, id, timer, place = open.place] {
    auto const found = open_.find(id);
    if (found != open_.end() && found->second.place == place && found->second.timer == timer)
      transmit(id);
  });
}

void Client::deliver(std::string const& from, Header const& header, std::string const& body) {
  auto const found = open_.find(header.id);
  if (found == open_.end()) return;  // ended before
  auto& open = found->second;
  auto& sent = world_.history_[open.place];
  if (header.topic != sent.topic || !world_.serves(from, sent.peer)) return;
  if (header.kind == Kind::reply) {
    sent.reply = body;
    return end(header.id, Outcome::acked);
  }
  auto refusal = codec::decode<Refusal>(body);
  if (!refusal) return world_.fail(name_ + " got a refusal that cannot be read");
  if (is_overtaken(*refusal, sent.attempts)) return;
  sent.refusal = std::move(*refusal);
  sent.refused_at = world_.now();
  auto const wait = sent.refusal.retry_after_ms;
  if (open.options.retry_refused && wait > 0 && world_.now() + wait < open.deadline_at)
    return resend_after(header.id, wait);
  end(header.id, Outcome::refused);
}

void Client::end(std::string const& id, Outcome outcome) {
  auto open = std::move(open_.at(id));
  open_.erase(id);
  auto& sent = world_.history_[open.place];
  sent.outcome = outcome;
  sent.ended_at = world_.now();
  world_.note_end(sent);
  if (open.ended) open.ended(Sent(sent));
}

}  // namespace lepton::sim
