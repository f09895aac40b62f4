// How the doors and links of a Bus come to be.

#include "common/bus/bus_impl.hpp"

namespace lepton::bus {

std::uint64_t Bus::Impl::seed() {
  crypto::SystemEntropy entropy;
  std::uint64_t number = 0;
  for (auto const octet : entropy.array<8>()) number = number << 8 | octet;
  return number;
}

Status Bus::Impl::name_peers() {
  std::map<std::string, std::string> fresh;
  for (auto const& peer : settings.peers) {
    auto const keys = keys_in(peer.public_key);
    if (keys.empty())
      return Error{Code::invalid, "the public key of peer " + peer.name +
                                      " must have 40 characters of Z85, or be two such keys with a "
                                      "space between while it is rotated"};
    for (auto const& key : keys)
      if (!fresh.emplace(key, peer.name).second)
        return Error{Code::conflict,
                     "two peers of " + settings.name + " have one public key; each needs its own"};
  }
  names = std::move(fresh);
  return ok();
}

std::set<std::string> Bus::Impl::listed() const {
  std::set<std::string> keys;
  for (auto const& [key, name] : names) keys.insert(key);
  return keys;
}

Status Bus::Impl::check() const {
  if (!legal_key(settings.keys.public_key))
    return Error{Code::invalid, "service " + settings.name + " has no CURVE key; make one first"};
  for (auto const* const endpoint :
       {&settings.peer_endpoint, &settings.client_endpoint, &settings.hint_endpoint})
    if (!endpoint->empty())
      if (auto legal = check_listen(*endpoint); !legal) return legal;
  for (auto const& peer : settings.peers)
    for (auto const* const endpoint : {&peer.request_endpoint, &peer.hint_endpoint})
      if (!endpoint->empty())
        if (auto legal = check_connect(*endpoint); !legal) return legal;
  if (!poller || !waker)
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
  return ::epoll_ctl(poller.get(), EPOLL_CTL_ADD, station.fd, &event) == 0;
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
  auto started = Gatekeeper::start(context, listed());
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
  auto link = Link::dial(context,
                         {pattern, endpoint, keys_in(peer.public_key), settings.keys,
                          settings.limits, pattern == Pattern::dealer},
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
  if (::epoll_ctl(poller.get(), EPOLL_CTL_ADD, waker.get(), &event) != 0)
    return Error{Code::internal, "the bus cannot watch its wake-up descriptor"};
  return ok();
}

Status Bus::set_peer_keys(std::vector<PeerAddress> const& peers) {
  auto const before = impl_->settings.peers;
  for (auto& known : impl_->settings.peers)
    for (auto const& peer : peers)
      if (peer.name == known.name) known.public_key = peer.public_key;
  if (auto named = impl_->name_peers(); !named) {
    impl_->settings.peers = before;
    return named;
  }
  impl_->gatekeeper->list(impl_->listed());
  for (auto& station : impl_->stations)
    for (auto const& peer : impl_->settings.peers)
      if (station->link && station->peer == peer.name)
        station->link->set_server_keys(keys_in(peer.public_key));
  return ok();
}

}  // namespace lepton::bus
