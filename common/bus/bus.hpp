#pragma once
// Bus: all sockets of one service. A peer door (services on the allow list), a client door (any
// CURVE key; tokens are the caller's to check), hints out, and one connection per peer for requests
// and for its hints. Nothing travels unencrypted. One thread owns the Bus: the one that calls
// poll(); wake() alone may be called from any thread. Sending never blocks: what cannot leave is
// counted and found by its deadline.
//
// A message: one frame of header and body, both msgpack (frames.hpp, schemas/platform.hpp). Limits
// are checked before decoding; a malformed request is refused if its id can be read, and counted in
// any case. Hints: one frame of stream, a zero octet, Hint. Delivery is at most once; callers
// resend under the same id (client.hpp), receivers remember ids.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/actor/ports.hpp"
#include "common/base/result.hpp"
#include "common/bus/keys.hpp"
#include "common/bus/limits.hpp"

namespace lepton::bus {

// Endpoints are "tcp://ADDRESS:PORT" or "ipc:///ABSOLUTE/PATH"; an empty one is left out: a peer
// without endpoints may call but is not called.
struct PeerAddress {
  std::string name;
  std::string request_endpoint;  // its peer door
  std::string hint_endpoint;
  std::string public_key;  // z85; during a rotation two, see keys_in()
};

struct BusSettings {
  std::string name;  // of this service
  KeyPair keys;
  std::string peer_endpoint;
  std::string client_endpoint;
  std::string hint_endpoint;
  std::vector<PeerAddress> peers;  // their keys are the allow list
  Limits limits;
};

// What arrives. Called inside poll(), on its thread.
class Sink {
 public:
  virtual ~Sink() = default;

  // `key` is the CURVE key that the handshake proved, in z85. Kind, version and sizes are already
  // checked.
  virtual void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                          std::string body) = 0;
  // A reply or a refusal, as its kind says. It may be late or repeated: match it by its id.
  virtual void on_answer(std::string const& peer, Header header, std::string body) = 0;
  virtual void on_hint(std::string const& peer, Hint hint) = 0;
};

class Bus final : public actor::Wire {
 public:
  // Binds and connects everything, and proves that an unlisted key is refused before it returns.
  static Result<std::unique_ptr<Bus>> open(BusSettings settings);
  ~Bus() override;

  void request(std::string const& peer, Header const& header, std::string const& body) override;
  void answer(actor::Route const& route, Header const& header, std::string const& body) override;
  void publish(Hint const& hint) override;

  // Waits for a message or a wake(), at most timeout_ms (-1: for ever), and hands over at most
  // batch_max messages per socket. Returns how many it handed over.
  int poll(Sink& sink, int timeout_ms);
  void wake();  // any thread

  // The peers' keys have changed: who comes by another one is no peer any more, also on a
  // connection that stands. Addresses stay as they are, and peers that were not there at the start
  // are left out. invalid: nothing has changed.
  Status set_peer_keys(std::vector<PeerAddress> const& peers);

  // A request to the peer would leave now: it is connected and not overloaded.
  bool reachable(std::string const& peer) const;
  // The name of the peer with this key; empty if there is none.
  std::string peer_of(std::string const& key) const;
  // What was counted since the start: messages and, by cause, everything dropped or refused.
  std::map<std::string, std::int64_t> counters() const;

 private:
  struct Impl;
  explicit Bus(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lepton::bus
