#pragma once
// Link: a CURVE connection to one server that heals itself. libzmq reconnects after a broken
// connection, but gives up for good when a server refused the key once (it may be listed a moment
// later); so a link that stays unusable is dialled anew, with growing pauses. A server whose key is
// being rotated has two: they are dialled in turn. One thread. Times: monotonic ms.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.hpp"
#include "common/base/time.hpp"
#include "common/bus/sockets.hpp"

namespace lepton::bus {

struct LinkSettings {
  Pattern pattern = Pattern::dealer;
  std::string endpoint;
  std::vector<std::string> server_keys;  // one or two
  KeyPair keys;
  Limits limits;
  bool watches_server = false;  // between services; else the kernel's keepalive must do
  TimeMs redial_first_ms = 2000;
  TimeMs redial_max_ms = 15'000;
  TimeMs redial_turn_ms = 1000;  // while there is another key to try
};

class Link {
 public:
  static Result<Link> dial(Context& context, LinkSettings settings, TimeMs now_ms);

  Socket& socket() { return socket_; }
  bool send(std::string_view header, std::string_view body);  // false: it did not leave
  bool usable() const { return socket_.writable(); }

  // Call when the link is known to work, and from time to time when it does not seem to; true if it
  // was dialled anew: then the descriptor is another.
  void alive(TimeMs now_ms);
  bool heal(TimeMs now_ms, Chance& chance);
  // A connection that stands goes on; the next one is made with these.
  void set_server_keys(std::vector<std::string> keys);

 private:
  Link(Context& context, LinkSettings settings)
      : context_(&context), settings_(std::move(settings)) {}
  Status open();
  Context* context_;
  LinkSettings settings_;
  Socket socket_;
  std::size_t turn_ = 0;  // of the server's keys
  TimeMs pause_ms_ = 0;
  TimeMs redial_at_ = 0;
};

}  // namespace lepton::bus
