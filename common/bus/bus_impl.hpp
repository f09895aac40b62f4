#pragma once
// The inside of Bus: its sockets as stations of one epoll round. Included by bus.cpp (the rounds)
// and bus_open.cpp (how everything is bound and connected) only. One thread, as Bus.

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/base/fd.hpp"
#include "common/base/random.hpp"
#include "common/base/time.hpp"
#include "common/bus/bus.hpp"
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

inline constexpr TimeMs care_every_ms = 500;
inline constexpr TimeMs hint_silence_ms = silence_max_ms;  // heads come every 500 ms
inline constexpr std::uint32_t peer_route = 1, client_route = 2;
inline constexpr std::uint32_t wake_mark = 0xffffffff;

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

  Status name_peers();
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
  bool has_more() const;
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
  Fd poller{::epoll_create1(EPOLL_CLOEXEC)};
  Fd waker{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Context context;
  std::unique_ptr<Gatekeeper> gatekeeper;
  std::vector<std::unique_ptr<Station>> stations;
  std::map<std::string, Station*> links;     // requests, by peer
  std::set<std::string> listed() const;      // the keys of peers
  std::map<std::string, std::string> names;  // of peers, by key
  std::array<Station*, 3> doors{};           // by role
  std::size_t turn = 0;                      // whose turn comes first
  bool woken = false;
  TimeMs care_at = 0;
  std::string header_buffer, body_buffer;
};

}  // namespace lepton::bus
