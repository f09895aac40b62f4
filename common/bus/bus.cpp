// The rounds of a Bus: what arrives, what leaves.

#include "common/bus/bus_impl.hpp"

#include <algorithm>

namespace lepton::bus {
namespace {

Count refused(Fault fault) {
  return Count(std::uint8_t(Count::refused_frame_count) + std::uint8_t(fault) -
               std::uint8_t(Fault::frame_count));
}

}  // namespace

Bus::Impl::Station* Bus::Impl::at(Station::Role role) {
  return doors[std::size_t(role)];
}

// Waits until some socket may have messages, and marks it.
void Bus::Impl::await(int timeout_ms) {
  std::array<epoll_event, 32> events;
  int const n = ::epoll_wait(poller.get(), events.data(), int(events.size()), timeout_ms);
  for (int i = 0; i < n; ++i) {
    auto const index = events[std::size_t(i)].data.u32;
    if (index == wake_mark) {
      eventfd_t ignored = 0;
      ::eventfd_read(waker.get(), &ignored);
      woken = true;
    } else {
      stations[index]->ready = true;
    }
  }
}

// Each ready socket in turn; who comes first changes, so that a busy one starves nobody.
int Bus::Impl::drain_all(Sink& sink) {
  int handed = 0;
  auto const n = stations.size();
  for (std::size_t i = 0; i < n; ++i) {
    auto& station = *stations[(turn + i) % n];
    if (station.ready) handed += drain(station, sink);
  }
  if (n > 0) turn = (turn + 1) % n;
  return handed;
}

// A socket gave as many as it may in one round. No wake-up comes for those that it still has, and
// messages that are refused end no poll().
bool Bus::Impl::has_more() const {
  return std::any_of(stations.begin(), stations.end(),
                     [](auto const& station) { return station->ready; });
}

int Bus::Impl::drain(Station& station, Sink& sink) {
  int handed = 0;
  for (int i = 0; i < settings.limits.batch_max; ++i)
    if (!take_one(station, sink, handed)) {
      station.ready = false;
      break;
    }
  return handed;
}

// One message, whatever it is; false if there is none.
bool Bus::Impl::take_one(Station& station, Sink& sink, int& handed) {
  using Role = Station::Role;
  if (station.role == Role::peer_hints) return take_hint(station, sink, handed);
  if (station.role == Role::hints) {
    // Subscriptions of others; libzmq has taken note of them already.
    Frame frame;
    return station.door.receive(frame);
  }
  Received message;
  auto const side = station.role == Role::requests ? Side::client : Side::server;
  if (!receive(station.socket(), side, settings.limits, message)) return false;
  if (side == Side::server)
    take_request(station, message, sink, handed);
  else
    take_answer(station, message, sink, handed);
  return true;
}

void Bus::Impl::take_request(Station& station, Received& message, Sink& sink, int& handed) {
  if (message.fault != Fault::none) return refuse(station, message);
  if (message.key.empty()) return tally.add(Count::refused_no_key);
  bool const peer = station.role == Station::Role::peer_door;
  // Its key was taken off the list after it had come in.
  if (peer && !names.contains(message.key)) return tally.add(Count::refused_unlisted);
  tally.add(Count::requests_in);
  ++handed;
  sink.on_request(peer ? actor::Door::peer : actor::Door::client, std::move(message.key),
                  {peer ? peer_route : client_route, std::move(message.identity)},
                  std::move(message.header), std::move(message.body));
}

void Bus::Impl::take_answer(Station& station, Received& message, Sink& sink, int& handed) {
  if (message.fault != Fault::none) return tally.add(refused(message.fault));
  tally.add(Count::answers_in);
  ++handed;
  sink.on_answer(station.peer, std::move(message.header), std::move(message.body));
}

bool Bus::Impl::take_hint(Station& station, Sink& sink, int& handed) {
  Frame frame;
  if (!station.socket().receive(frame)) return false;
  Hint hint;
  bool const good = !frame.more() && read_hint(frame.bytes(), station.peer, settings.limits, hint);
  skip(station.socket(), frame.more());
  station.heard_ms = clock.now_ms();
  station.link->alive(station.heard_ms);
  if (!good) {
    tally.add(Count::refused_hint);
    return true;
  }
  tally.add(Count::hints_in);
  ++handed;
  sink.on_hint(station.peer, std::move(hint));
  return true;
}

void Bus::Impl::refuse(Station& station, Received const& message) {
  tally.add(refused(message.fault));
  if (message.header.id.empty()) return;
  Header header;
  header.kind = Kind::refusal;
  header.topic = message.header.topic;
  header.id = message.header.id;
  answer(station, message.identity, header,
         codec::encode(Refusal{Code::invalid, explain(message.fault, settings.limits), 0}));
}

void Bus::Impl::answer(Station& station, std::string const& identity, Header const& header,
                       std::string_view body) {
  header_buffer.clear();
  codec::Writer(header_buffer).write(header);
  station.ready = true;
  auto const sent = station.door.send({identity}, true);
  if (sent == Sent::full) return tally.add(Count::dropped_client_full);
  if (sent == Sent::gone) return tally.add(Count::dropped_client_gone);
  bool const whole =
      station.door.send({header_size(header_buffer), header_buffer, body}) == Sent::done;
  tally.add(whole ? Count::answers_out : Count::dropped_client_gone);
}

// Dials anew what libzmq has given up.
void Bus::Impl::care() {
  auto const now = clock.now_ms();
  if (now < care_at) return;
  care_at = now + care_every_ms;
  for (std::size_t i = 0; i < stations.size(); ++i) {
    auto& station = *stations[i];
    if (!station.link) continue;
    station.ready = true;
    if (station.role == Station::Role::requests && station.link->usable())
      station.link->alive(now);
    else if (station.role == Station::Role::peer_hints && now - station.heard_ms < hint_silence_ms)
      continue;
    else if (station.link->heal(now, chance)) {
      tally.add(Count::redials);  // closing the old socket took its descriptor out of the poller
      watch(i);
    }
  }
}

Bus::Bus(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Bus::~Bus() = default;

Result<std::unique_ptr<Bus>> Bus::open(BusSettings settings) {
  auto impl = std::make_unique<Impl>(std::move(settings));
  if (auto named = impl->name_peers(); !named) return named.error();
  if (auto good = impl->check(); !good) return good.error();
  if (auto good = impl->open_doors(); !good) return good.error();
  if (auto good = impl->open_links(); !good) return good.error();
  return std::unique_ptr<Bus>(new Bus(std::move(impl)));
}

void Bus::request(std::string const& peer, Header const& header, std::string const& body) {
  auto const found = impl_->links.find(peer);
  if (found == impl_->links.end()) return impl_->tally.add(Count::dropped_no_peer);
  auto& buffer = impl_->header_buffer;
  buffer.clear();
  codec::Writer(buffer).write(header);
  if (buffer.size() > impl_->settings.limits.header_bytes_max ||
      body.size() > impl_->settings.limits.body_bytes_max)
    return impl_->tally.add(Count::dropped_too_large);
  found->second->ready = true;
  bool const sent = found->second->link->send(buffer, body);
  impl_->tally.add(sent ? Count::requests_out : Count::dropped_peer_away);
}

void Bus::answer(actor::Route const& route, Header const& header, std::string const& body) {
  using Role = Impl::Station::Role;
  auto* const door = route.door == peer_route     ? impl_->at(Role::peer_door)
                     : route.door == client_route ? impl_->at(Role::client_door)
                                                  : nullptr;
  if (!door) return impl_->tally.add(Count::dropped_no_route);
  if (body.size() <= impl_->settings.limits.body_bytes_max)
    return impl_->answer(*door, route.identity, header, body);
  impl_->tally.add(Count::dropped_too_large);
  auto refusal = header;
  refusal.kind = Kind::refusal;
  impl_->answer(*door, route.identity, refusal,
                codec::encode(Refusal{Code::exhausted,
                                      "the answer is larger than a message may be; "
                                      "ask for less at once",
                                      0}));
}

void Bus::publish(Hint const& hint) {
  auto* const door = impl_->at(Impl::Station::Role::hints);
  if (!door) return impl_->tally.add(Count::dropped_hint);
  auto& buffer = impl_->body_buffer;
  buffer.clear();
  codec::Writer(buffer).write(hint);
  door->ready = true;
  bool const sent = door->door.send({hint.stream, topic_end, buffer}) == Sent::done;
  impl_->tally.add(sent ? Count::hints_out : Count::dropped_hint);
}

int Bus::poll(Sink& sink, int timeout_ms) {
  auto const until = timeout_ms < 0 ? 0 : impl_->clock.now_ms() + timeout_ms;
  impl_->woken = false;
  while (true) {
    impl_->care();
    if (int const handed = impl_->drain_all(sink); handed > 0) {
      impl_->await(0);  // so that a socket that was quiet is seen next time
      return handed;
    }
    auto const left =
        timeout_ms < 0 ? care_every_ms : std::max<TimeMs>(0, until - impl_->clock.now_ms());
    impl_->await(impl_->has_more() ? 0 : int(std::min(left, care_every_ms)));
    int const handed = impl_->drain_all(sink);
    if (handed > 0 || impl_->woken || left == 0) return handed;
  }
}

void Bus::wake() {
  ::eventfd_write(impl_->waker.get(), 1);
}

bool Bus::reachable(std::string const& peer) const {
  auto const found = impl_->links.find(peer);
  if (found == impl_->links.end()) return false;
  found->second->ready = true;
  return found->second->link->usable();
}

std::string Bus::peer_of(std::string const& key) const {
  auto const found = impl_->names.find(key);
  return found == impl_->names.end() ? "" : found->second;
}

std::map<std::string, std::int64_t> Bus::counters() const {
  auto out = impl_->tally.all();
  out["admitted_keys"] = impl_->gatekeeper->admitted();
  out["refused_keys"] = impl_->gatekeeper->refused();
  return out;
}

}  // namespace lepton::bus
