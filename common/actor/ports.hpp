#pragma once
// What an actor system needs from its surroundings. The service joins real parts (common/service),
// the simulation its own (common/sim). All calls and all callbacks happen on the thread of the
// system.

#include <functional>
#include <string>
#include <string_view>

#include "common/actor/message.hpp"
#include "common/base/random.hpp"
#include "common/base/result.hpp"
#include "common/crypto/entropy.hpp"
#include "common/store/store.hpp"

namespace lepton::actor {

// Sends; never blocks, never fails loudly: what cannot be sent is found by its deadline.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void request(std::string const& peer, Header const& header, std::string const& body) = 0;
  virtual void answer(Route const& route, Header const& header, std::string const& body) = 0;
  virtual void publish(Hint const& hint) = 0;
};

// Decides what a caller may do.
class Gate {
 public:
  virtual ~Gate() = default;
  virtual Status allow(Caller const& caller, Verb verb, std::string_view resource) = 0;
};

// Runs work that may block away from the actor's thread; `done` comes back on it.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void run(std::function<void()> job, std::function<void()> done) = 0;
};

enum class Level : std::uint8_t { debug, info, warning, error };
using Log = std::function<void(Level, std::string const&)>;

struct Ports {
  Clock const& clock;
  store::Store& store;
  Wire& wire;
  Gate& gate;
  Worker& worker;
  crypto::Entropy& entropy;
  Chance& chance;
  Log log;
};

}  // namespace lepton::actor
