#pragma once
// What reaches an actor, and who sent it.

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/time.hpp"
#include "schemas/platform.hpp"
#include "schemas/refusal.hpp"

namespace lepton::actor {

enum class Door : std::uint8_t {
  local,   // another actor of this process
  peer,    // a service of the suite, known by its CURVE key
  client,  // a person, program or node, known by key and token
};

// Who asks, as the door established it; never taken from the message itself.
struct Caller {
  Door door = Door::local;
  std::string name;  // service name at the peer door, subject of the token at the client door
  std::string key;   // CURVE public key, z85; empty when local
  std::vector<std::string> policies;
  std::string token;  // identity of the token, not its text
};

// Where an answer goes. Opaque to everyone but the wire that made it.
struct Route {
  std::uint32_t door = 0;
  std::string identity;
};

struct Request {
  Caller caller;
  Route route;
  Header header;
  std::string body;
  TimeMs deadline_at = 0;
  TimeMs arrived_at = 0;
  bool rows_asked = false;  // no earlier life has recorded it
};

// An answer as it leaves or arrives: the encoded reply, or a refusal.
using Answer = std::variant<std::string, Refusal>;

}  // namespace lepton::actor
