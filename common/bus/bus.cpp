#include "common/bus/bus.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/base/random.hpp"
#include "common/base/time.hpp"
#include "common/bus/endpoint.hpp"
#include "common/bus/frames.hpp"
#include "common/bus/gatekeeper.hpp"
#include "common/bus/link.hpp"
#include "common/bus/probe.hpp"
#include "common/bus/tally.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/entropy.hpp"
#include "schemas/refusal.hpp"

namespace lepton::bus {
namespace {

constexpr TimeMs care_every_ms = 500;
constexpr TimeMs hint_silence_ms = 5000;  // heads come every 500 ms
constexpr std::uint32_t peer_route = 1, client_route = 2;
constexpr std::uint32_t wake_mark = 0xffffffff;
constexpr std::string_view topic_end("\0", 1);

Count refused(Fault fault) {
  return Count(std::uint8_t(Count::refused_frame_count) + std::uint8_t(fault) -
               std::uint8_t(Fault::frame_count));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

struct Bus::Impl {
  // A socket within the rounds of poll(). `ready`: it may have messages. The descriptor of a libzmq
  // socket only says that something happened since somebody last looked, and sending looks too; so
  // a socket leaves the ready ones only by an empty receive.
  struct Station {
    enum class Role : std::uint8_t { peer_door, client_door, hints, requests, peer_hints };
    Role role;
    std::string peer;
    std::unique_ptr<Link> link;  // for the last two roles
    Socket door;                 // for the first three
    bool ready = true;
    TimeMs heard_ms = 0;
    int fd = -1;
    Socket& socket() { return link ? link->socket() : door; }
  };

  explicit Impl(BusSettings s) : settings(std::move(s)), chance(seed()) {}
  static std::uint64_t seed();

  Status check() const;
  Status open_doors();
  Status open_door(Station::Role role, std::string const& endpoint);
  Status open_links();
  Status open_link(Station::Role role, Pattern pattern, PeerAddress const& peer,
                   std::string const& endpoint);
  Status join(std::unique_ptr<Station> station);
  bool watch(std::size_t index);

  void await(int timeout_ms);
  int drain_all(Sink& sink);
  int drain(Station& station, Sink& sink);
  bool take_one(Station& station, Sink& sink, int& handed);
  void take_request(Station& station, Received& message, Sink& sink, int& handed);
  void take_answer(Station& station, Received& message, Sink& sink, int& handed);
  bool take_hint(Station& station, Sink& sink, int& handed);
  void refuse(Station& station, Received const& message);
  void answer(Station& station, std::string const& identity, Header const& header,
              std::string_view body);
  void care();
  Station* at(Station::Role role);

  BusSettings settings;
  SystemClock clock;
  Chance chance;
  Tally tally;
  Descriptor poller{::epoll_create1(EPOLL_CLOEXEC)};
  Descriptor waker{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Context context;
  std::unique_ptr<Gatekeeper> gatekeeper;
  std::vector<std::unique_ptr<Station>> stations;
  std::map<std::string, Station*> links;     // requests, by peer
  std::map<std::string, std::string> names;  // of peers, by key
  std::array<Station*, 3> doors{};           // by role
  std::size_t turn = 0;                      // whose turn comes first
  bool woken = false;
  TimeMs care_at = 0;
  std::string header_buffer, body_buffer;
};

std::uint64_t Bus::Impl::seed() {
  crypto::SystemEntropy entropy;
  std::uint64_t number = 0;
  for (auto const octet : entropy.array<8>()) number = number << 8 | octet;
  return number;
}

Status Bus::Impl::check() const {
  if (!legal_key(settings.keys.public_key))
    return Error{Code::invalid, "service " + settings.name + " has no CURVE key; make one first"};
  for (auto const& [key, name] : names)
    if (!legal_key(key))
      return Error{Code::invalid,
                   "the public key of peer " + name + " must have 40 characters of Z85"};
  if (names.size() != settings.peers.size())
    return Error{Code::conflict,
                 "two peers of " + settings.name + " have one public key; each needs its own"};
  for (auto const* const endpoint :
       {&settings.peer_endpoint, &settings.client_endpoint, &settings.hint_endpoint})
    if (!endpoint->empty())
      if (auto legal = check_listen(*endpoint); !legal) return legal;
  for (auto const& peer : settings.peers)
    for (auto const* const endpoint : {&peer.request_endpoint, &peer.hint_endpoint})
      if (!endpoint->empty())
        if (auto legal = check_connect(*endpoint); !legal) return legal;
  if (poller < 0 || waker < 0)
    return Error{Code::internal, "the bus got no descriptor; raise the limit of open files"};
  return ok();
}

bool Bus::Impl::watch(std::size_t index) {
  auto& station = *stations[index];
  station.fd = station.socket().descriptor();
  station.ready = true;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = std::uint32_t(index);
  return ::epoll_ctl(poller, EPOLL_CTL_ADD, station.fd, &event) == 0;
}

Status Bus::Impl::join(std::unique_ptr<Station> station) {
  station->heard_ms = clock.now_ms();
  stations.push_back(std::move(station));
  if (!watch(stations.size() - 1))
    return Error{Code::internal, "the bus cannot watch its sockets; raise the limit of open files"};
  return ok();
}

Status Bus::Impl::open_door(Station::Role role, std::string const& endpoint) {
  if (endpoint.empty()) return ok();
  auto const pattern = role == Station::Role::hints ? Pattern::xpub : Pattern::router;
  auto const* const domain = role == Station::Role::client_door ? client_domain : peer_domain;
  auto socket = Socket::server(context, pattern, domain, settings.keys, settings.limits);
  if (!socket) return socket.error();
  if (auto bound = socket->bind(endpoint); !bound) return bound;
  auto station = std::make_unique<Station>();
  station->role = role;
  station->door = std::move(*socket);
  doors[std::size_t(role)] = station.get();
  return join(std::move(station));
}

Status Bus::Impl::open_doors() {
  if (auto good = prove_closed_without_gatekeeper(context, settings.keys); !good) return good;
  std::set<std::string> keys;
  for (auto const& [key, name] : names) keys.insert(key);
  auto started = Gatekeeper::start(context, std::move(keys));
  if (!started) return started.error();
  gatekeeper = std::move(*started);
  using Role = Station::Role;
  if (auto good = open_door(Role::peer_door, settings.peer_endpoint); !good) return good;
  if (auto good = open_door(Role::client_door, settings.client_endpoint); !good) return good;
  if (auto good = open_door(Role::hints, settings.hint_endpoint); !good) return good;
  if (at(Role::peer_door))
    if (auto good = prove_peer_door(context, settings.peer_endpoint, settings.keys); !good)
      return good;
  if (at(Role::client_door))
    return prove_client_door(context, settings.client_endpoint, settings.keys);
  return ok();
}

Status Bus::Impl::open_link(Station::Role role, Pattern pattern, PeerAddress const& peer,
                            std::string const& endpoint) {
  if (endpoint.empty()) return ok();
  auto link =
      Link::dial(context, {pattern, endpoint, peer.public_key, settings.keys, settings.limits},
                 clock.now_ms());
  if (!link) return link.error();
  auto station = std::make_unique<Station>();
  station->role = role;
  station->peer = peer.name;
  station->link = std::make_unique<Link>(std::move(*link));
  if (role == Station::Role::requests) links[peer.name] = station.get();
  return join(std::move(station));
}

Status Bus::Impl::open_links() {
  using Role = Station::Role;
  for (auto const& peer : settings.peers) {
    if (auto good = open_link(Role::requests, Pattern::dealer, peer, peer.request_endpoint); !good)
      return good;
    if (auto good = open_link(Role::peer_hints, Pattern::sub, peer, peer.hint_endpoint); !good)
      return good;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = wake_mark;
  if (::epoll_ctl(poller, EPOLL_CTL_ADD, waker, &event) != 0)
    return Error{Code::internal, "the bus cannot watch its wake-up descriptor"};
  return ok();
}

Bus::Impl::Station* Bus::Impl::at(Station::Role role) {
  return doors[std::size_t(role)];
}

// Waits until some socket may have messages, and marks it.
void Bus::Impl::await(int timeout_ms) {
  std::array<epoll_event, 32> events;
  int const n = ::epoll_wait(poller, events.data(), int(events.size()), timeout_ms);
  for (int i = 0; i < n; ++i) {
    auto const index = events[std::size_t(i)].data.u32;
    if (index == wake_mark) {
      eventfd_t ignored = 0;
      ::eventfd_read(waker, &ignored);
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
  tally.add(Count::requests_in);
  ++handed;
  bool const peer = station.role == Station::Role::peer_door;
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
  auto const bytes = frame.bytes();
  auto const topic = bytes.substr(0, bytes.find(topic_end));
  bool const whole = !frame.more() && topic.size() < bytes.size() &&
                     bytes.size() <= settings.limits.header_bytes_max;
  skip(station.socket(), frame.more());
  station.heard_ms = clock.now_ms();
  station.link->alive(station.heard_ms);
  auto hint = whole ? codec::decode<Hint>(bytes.substr(topic.size() + topic_end.size()))
                    : Result<Hint>(Error{});
  if (!hint || hint->sender != station.peer || hint->stream != topic) {
    tally.add(Count::refused_hint);
    return true;
  }
  tally.add(Count::hints_in);
  ++handed;
  sink.on_hint(station.peer, std::move(*hint));
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
  for (auto const& peer : impl->settings.peers) impl->names.emplace(peer.public_key, peer.name);
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
    impl_->await(int(std::min(left, care_every_ms)));
    int const handed = impl_->drain_all(sink);
    if (handed > 0 || impl_->woken || left == 0) return handed;
  }
}

void Bus::wake() {
  ::eventfd_write(impl_->waker, 1);
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
