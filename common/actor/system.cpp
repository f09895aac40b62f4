#include "common/actor/system.hpp"

#include <algorithm>

#include "common/actor/answers.hpp"

namespace lepton::actor {

System::System(SystemSettings settings, Ports ports)
    : settings_(std::move(settings)), ports_(std::move(ports)), asks_(settings_.asks) {}

System::~System() = default;

void System::add(std::string name, Factory make, HostSettings settings) {
  hosts_.push_back(std::make_unique<Host>(std::move(name), hosts_.size(), std::move(make),
                                          std::move(settings), ports_, *this));
}

void System::start() {
  for (auto& host : hosts_) host->start();
}

Host* System::find_host(std::string_view name) {
  for (auto& host : hosts_)
    if (host->name() == name) return host.get();
  return nullptr;
}

Host& System::host(std::string const& name) {
  auto* found = find_host(name);
  LEPTON_CHECK(found != nullptr, "no actor of this name");
  return *found;
}

std::string System::service_of(Request const& request) const {
  auto const& topic = request.header.topic;
  auto const decode_service = [&](auto const& message) {
    return message ? message->service : std::string{};
  };
  if (topic == EventsPull::topic) return decode_service(codec::decode<EventsPull>(request.body));
  if (topic == SnapshotGet::topic) return decode_service(codec::decode<SnapshotGet>(request.body));
  if (topic == HealthGet::topic) return decode_service(codec::decode<HealthGet>(request.body));
  return topic.substr(0, topic.find('.'));
}

void System::deliver_request(Request request) {
  if (auto* host = find_host(service_of(request))) return host->accept(std::move(request));
  Refusal const refusal{Code::not_found,
                        settings_.service + " does not serve '" + request.header.topic + "'", 0};
  deliver_answer(refusal_to(request, refusal));
}

void System::deliver_reply(std::string const& peer, Header const& header, std::string body) {
  auto const* waiting = asks_.find(header.id);
  // Only the one who was asked may answer.
  if (waiting == nullptr || waiting->peer != peer) {
    ++late_replies_;
    return;
  }
  Answer answer = std::move(body);
  if (header.kind != Kind::reply) {
    auto refusal = codec::decode<Refusal>(std::get<std::string>(answer));
    if (!refusal) refusal = Refusal{Code::internal, "the refusal could not be read", 0};
    if (is_overtaken(*refusal, waiting->attempt)) return;
    answer = std::move(*refusal);
  }
  finish(*asks_.take(header.id), std::move(answer));
}

void System::deliver_hint(Hint const& hint) {
  for (auto& host : hosts_) host->hint(hint);
}

void System::begin_ask(std::size_t host, std::uint64_t life, AskDraft draft) {
  Asks::Ask ask;
  char id[33];
  std::snprintf(id, sizeof id, "%016llx%016llx",
                static_cast<unsigned long long>(ports_.chance.next()),
                static_cast<unsigned long long>(ports_.chance.next()));
  ask.id = id;
  ask.peer = std::move(draft.peer);
  ask.topic = std::move(draft.topic);
  ask.body = std::move(draft.body);
  auto const now = ports_.clock.now_ms();
  ask.deadline_at = now + draft.timeout_ms;
  ask.patience_ms = draft.patience_ms;
  ask.host = host;
  ask.life = life;
  ask.then = std::move(draft.then);
  if (!asks_.has_credit(ask.peer)) {
    auto const peer = ask.peer;
    return finish(std::move(ask),
                  Refusal{Code::exhausted,
                          "too many requests to " + peer + " wait for an answer; try again", 200});
  }
  send(asks_.add(std::move(ask), now, ports_.chance));
}

void System::send(Asks::Ask const& ask) {
  Header header;
  header.kind = Kind::request;
  header.topic = ask.topic;
  header.id = ask.id;
  header.deadline_ms = ask.deadline_at - ports_.clock.now_ms();
  header.attempt = ask.attempt;
  if (find_host(ask.peer) == nullptr) return ports_.wire.request(ask.peer, header, ask.body);
  Request local;
  local.caller.name = hosts_[ask.host]->name();
  local.header = header;
  local.body = ask.body;
  deliver_request(std::move(local));
}

void System::finish(Asks::Ask ask, Answer answer) {
  auto shared = std::make_shared<Answer>(std::move(answer));
  hosts_[ask.host]->resume(ask.life,
                           [then = std::move(ask.then), shared](Context& c) { then(*shared, c); });
}

void System::deliver_answer(AnswerDraft answer) {
  if (answer.local) {
    auto const* ask = asks_.find(answer.header.id);
    auto const peer = ask != nullptr ? ask->peer : std::string{};
    return deliver_reply(peer, answer.header, std::move(answer.body));
  }
  ports_.wire.answer(answer.route, answer.header, answer.body);
}

void System::step_asks(TimeMs now) {
  if (auto const next = asks_.next_at(); !next || *next > now) return;
  for (auto& ask : asks_.expired(now)) {
    Refusal const refusal{Code::timeout, ask.peer + " did not answer '" + ask.topic + "' in time",
                          1'000};
    finish(std::move(ask), refusal);
  }
  for (auto const* ask : asks_.resends(now, ports_.chance)) send(*ask);
}

void System::announce_heads(TimeMs now) {
  if (now < heads_at_) return;
  heads_at_ = now + settings_.head_every_ms;
  for (auto& host : hosts_) {
    if (!host->is_ready()) continue;
    for (auto const& outlet : host->outlets())
      ports_.wire.publish({host->name(), outlet.stream(), outlet.epoch(), outlet.head()});
  }
}

bool System::step() {
  if (gave_up_) return false;
  auto const now = ports_.clock.now_ms();
  step_asks(now);
  announce_heads(now);
  for (auto& host : hosts_) {
    host->step();
    if (gave_up_) return false;
  }
  // Asked at the end: a host may have been given work by one that was stepped after it.
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [](auto const& host) { return host->has_work(); });
}

std::optional<TimeMs> System::next_at() const {
  std::optional<TimeMs> next = heads_at_;
  auto const sooner = [&next](std::optional<TimeMs> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(asks_.next_at());
  for (auto const& host : hosts_) sooner(host->next_timer());
  return next;
}

void System::stop() {
  stopping_ = true;
  for (auto host = hosts_.rbegin(); host != hosts_.rend(); ++host) (*host)->stop();
}

bool System::is_stopped() const {
  return gave_up_ || std::all_of(hosts_.begin(), hosts_.end(),
                                 [](auto const& host) { return host->is_stopped(); });
}

void System::watch(std::string watcher, std::string actor) {
  watches_.emplace_back(std::move(watcher), std::move(actor));
}

void System::host_down(std::size_t index, std::string const& reason) {
  auto const& name = hosts_[index]->name();
  for (auto const& [watcher, watched] : watches_)
    if (watched == name)
      if (auto* host = find_host(watcher)) host->down({name, reason});
  if (settings_.strategy == Strategy::rest_for_one && index + 1 < hosts_.size())
    hosts_[index + 1]->crash("the actor before it failed: " + name);
}

void System::give_up(std::string const& why) {
  if (!gave_up_) gave_up_ = why;
}

}  // namespace lepton::actor
