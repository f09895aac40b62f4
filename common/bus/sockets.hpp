#pragma once
// Sockets of libzmq with the settings that this project's rules demand (docs: traps of 4.3.4), so
// that no other file includes the library. Every server demands CURVE and a living gatekeeper;
// nothing waits, nothing lingers longer than linger_ms. A socket belongs to one thread. Errors of
// creation are values; a socket that breaks later reads as empty.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/bus/keys.hpp"
#include "common/bus/limits.hpp"

namespace lepton::bus {

inline constexpr int linger_ms = 100;
inline constexpr char const* peer_domain = "peer";      // keys on the allow list
inline constexpr char const* client_domain = "client";  // any CURVE key

// Must outlive its sockets. Never to be used after fork().
class Context {
 public:
  Context();
  ~Context();
  Context(Context const&) = delete;
  Context& operator=(Context const&) = delete;
  void* raw() const { return raw_; }

 private:
  void* raw_;
};

class Frame {
 public:
  Frame();
  ~Frame();
  Frame(Frame const&) = delete;
  Frame& operator=(Frame const&) = delete;

  std::string_view bytes() const;
  bool more() const;
  // The CURVE key (z85) that the gatekeeper admitted. Missing on the routing id that ROUTER puts in
  // front: ask the frames that came over the wire.
  std::string user_id() const;

 private:
  friend class Socket;
  alignas(std::max_align_t) std::array<unsigned char, 64> raw_;
};

enum class Pattern : std::uint8_t { router, dealer, xpub, sub };
enum class Sent : std::uint8_t { done, full, gone };

class Socket {
 public:
  static Result<Socket> server(Context& context, Pattern pattern, std::string const& domain,
                               KeyPair const& keys, Limits const& limits);
  static Result<Socket> client(Context& context, Pattern pattern, std::string const& server_key,
                               KeyPair const& keys, Limits const& limits);
  // Within the process only: the gatekeeper's end, and the stream of events of another socket.
  static Result<Socket> gatekeeper(Context& context);
  // End the stream before the reader goes: libzmq's I/O thread waits for ever for a reader that is
  // gone.
  Result<Socket> monitor(Context& context, std::string const& name);
  void end_monitor();

  Socket() = default;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // Before connect, of a DEALER that asks and is answered: a frozen server ends the connection.
  Status watch_server();
  Status bind(std::string const& endpoint);
  Status connect(std::string const& endpoint);
  std::string last_endpoint() const;

  bool receive(Frame& frame);  // false: nothing there
  bool wait(int wait_ms);      // true: there may be something
  bool receive_unless(Frame& frame,
                      int stop);  // waits; false once the descriptor `stop` is readable
  // One frame of the given parts. full: would block; gone: no such connection.
  Sent send(std::initializer_list<std::string_view> parts, bool more = false);
  bool writable() const;
  int descriptor() const;  // readable when receive() may have something; see Bus::Impl::drain

  explicit operator bool() const { return raw_ != nullptr; }

 private:
  explicit Socket(void* raw) : raw_(raw) {}
  static Result<Socket> create(Context& context, int type);
  Status set(int option, int value, char const* name);
  Status set(int option, std::string_view value, char const* name);
  Status set_common(Pattern pattern, Limits const& limits);
  void* raw_ = nullptr;
};

// What a monitor says about a handshake.
enum class Shake : std::uint8_t { none, other, accepted, refused };
Shake read_event(Socket& monitor, int wait_ms);

}  // namespace lepton::bus
