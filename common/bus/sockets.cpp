#include "common/bus/sockets.hpp"

#include <zmq.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "common/base/planted.hpp"
#include "common/bus/endpoint.hpp"

namespace lepton::bus {
namespace {

static_assert(sizeof(zmq_msg_t) == 64 && alignof(zmq_msg_t) <= alignof(std::max_align_t));

// ZMQ_ZAP_ENFORCE_DOMAIN. A draft option, so its name is hidden, but the stock library obeys it.
// Without it a CURVE server whose gatekeeper is gone accepts every key.
constexpr int zap_enforce_domain = 93;
// Cipher text is longer than its message: 8 octets of command name, 8 nonce, 16 tag, 1 flags.
constexpr std::size_t curve_overhead = 33;
constexpr int handshake_max_ms = 3000;
constexpr int reconnect_first_ms = 100;
constexpr int reconnect_max_ms = 2000;
constexpr int backlog = 512;

int type_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::router:
      return ZMQ_ROUTER;
    case Pattern::dealer:
      return ZMQ_DEALER;
    case Pattern::xpub:
      return ZMQ_XPUB;
    case Pattern::sub:
      return ZMQ_SUB;
  }
  return -1;
}

zmq_msg_t* message(std::array<unsigned char, 64>& raw) {
  return std::launder(reinterpret_cast<zmq_msg_t*>(raw.data()));
}
zmq_msg_t* message(std::array<unsigned char, 64> const& raw) {
  return const_cast<zmq_msg_t*>(std::launder(reinterpret_cast<zmq_msg_t const*>(raw.data())));
}

Error library_error(std::string const& doing) {
  return {Code::internal, doing + " failed: " + zmq_strerror(zmq_errno())};
}

}  // namespace

Context::Context() : raw_(zmq_ctx_new()) {
  LEPTON_CHECK(raw_ != nullptr, "libzmq has no memory for its context");
}
Context::~Context() {
  while (zmq_ctx_term(raw_) != 0 && zmq_errno() == EINTR) {
  }
}

Frame::Frame() {
  zmq_msg_init(new (raw_.data()) zmq_msg_t);
}
Frame::~Frame() {
  zmq_msg_close(message(raw_));
}
std::string_view Frame::bytes() const {
  auto* const m = message(raw_);
  return {static_cast<char const*>(zmq_msg_data(m)), zmq_msg_size(m)};
}
bool Frame::more() const {
  return zmq_msg_more(message(raw_)) != 0;
}
std::string Frame::user_id() const {
  char const* const id = zmq_msg_gets(message(raw_), "User-Id");
  return id ? id : "";
}

Socket::Socket(Socket&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(raw_, other.raw_);
  return *this;
}
Socket::~Socket() {
  if (raw_) zmq_close(raw_);
}

Result<Socket> Socket::create(Context& context, int type) {
  void* const raw = zmq_socket(context.raw(), type);
  if (!raw) return library_error("opening a socket");
  return Socket(raw);
}

Status Socket::set(int option, int value, char const* name) {
  if (zmq_setsockopt(raw_, option, &value, sizeof(value)) == 0) return ok();
  return library_error(std::string("setting ") + name + " of a socket");
}
Status Socket::set(int option, std::string_view value, char const* name) {
  if (zmq_setsockopt(raw_, option, value.data(), value.size()) == 0) return ok();
  return library_error(std::string("setting ") + name + " of a socket");
}

Status Socket::set_common(Pattern pattern, Limits const& limits) {
  struct Option {
    int number;
    int value;
    char const* name;
  };
  std::vector<Option> options = {
      {ZMQ_LINGER, linger_ms, "linger"},
      // The kernel probes a quiet connection, and gives up a silent one after ZMQ_TCP_MAXRT.
      {ZMQ_TCP_KEEPALIVE, 1, "keepalive"},
      {ZMQ_TCP_KEEPALIVE_IDLE, heartbeat_every_ms / 1000, "first keepalive"},
      {ZMQ_TCP_KEEPALIVE_INTVL, heartbeat_every_ms / 1000, "keepalive interval"},
      {ZMQ_TCP_KEEPALIVE_CNT, silence_max_ms / heartbeat_every_ms, "keepalive count"},
      {ZMQ_TCP_MAXRT, silence_max_ms, "retransmission limit"},
      {ZMQ_HANDSHAKE_IVL, handshake_max_ms, "handshake limit"},
      {ZMQ_RECONNECT_IVL, reconnect_first_ms, "reconnect pause"},
      {ZMQ_RECONNECT_IVL_MAX, reconnect_max_ms, "longest reconnect pause"},
      {ZMQ_BACKLOG, backlog, "backlog"},
      {ZMQ_RCVHWM, limits.receive_queue_max, "receive queue"},
      {ZMQ_SNDHWM, limits.send_queue_max, "send queue"},
  };
  if (pattern == Pattern::router) {
    // Handover would give a client the answers of another whose routing id it takes.
    options.push_back({ZMQ_ROUTER_HANDOVER, planted("handover_on") ? 1 : 0, "handover"});
    options.push_back({ZMQ_ROUTER_MANDATORY, 1, "mandatory routing"});
  }
  // Only what a connection takes may count as sent.
  if (pattern == Pattern::dealer) options.push_back({ZMQ_IMMEDIATE, 1, "immediate"});
  for (auto const& option : options)
    if (auto done = set(option.number, option.value, option.name); !done) return done;
  if (planted("frames_unlimited")) return ok();
  std::int64_t const largest = std::int64_t(header_size_octets + limits.header_bytes_max +
                                            limits.body_bytes_max + curve_overhead);
  return set(ZMQ_MAXMSGSIZE, {reinterpret_cast<char const*>(&largest), sizeof(largest)},
             "largest message");
}

Result<Socket> Socket::server(Context& context, Pattern pattern, std::string const& domain,
                              KeyPair const& keys, Limits const& limits) {
  auto socket = create(context, type_of(pattern));
  if (!socket) return socket;
  if (auto done = socket->set_common(pattern, limits); !done) return done.error();
  if (auto done = socket->set(ZMQ_CURVE_SERVER, 1, "CURVE"); !done) return done.error();
  if (auto done = socket->set(ZMQ_CURVE_SECRETKEY, keys.secret_key.reveal(), "the secret key");
      !done)
    return done.error();
  if (auto done = socket->set(ZMQ_ZAP_DOMAIN, domain, "the domain"); !done) return done.error();
  if (planted("doors_unenforced")) return socket;
  if (auto done = socket->set(zap_enforce_domain, 1, "enforcement of the domain"); !done)
    return Error{Code::internal,
                 "this libzmq cannot refuse strangers when its gatekeeper is gone (" +
                     done.error().what + "); use libzmq 4.3.x with CURVE"};
  return socket;
}

Result<Socket> Socket::client(Context& context, Pattern pattern, std::string const& server_key,
                              KeyPair const& keys, Limits const& limits) {
  auto socket = create(context, type_of(pattern));
  if (!socket) return socket;
  if (auto done = socket->set_common(pattern, limits); !done) return done.error();
  if (auto done = socket->set(ZMQ_CURVE_SERVERKEY, server_key, "the server's key"); !done)
    return done.error();
  if (auto done = socket->set(ZMQ_CURVE_PUBLICKEY, keys.public_key, "the public key"); !done)
    return done.error();
  if (auto done = socket->set(ZMQ_CURVE_SECRETKEY, keys.secret_key.reveal(), "the secret key");
      !done)
    return done.error();
  // One subscription for everything: many of them count against queues and may be lost at a
  // reconnect.
  if (pattern == Pattern::sub)
    if (auto done = socket->set(ZMQ_SUBSCRIBE, std::string_view(), "the subscription"); !done)
      return done.error();
  return socket;
}

// An engine of libzmq whose peer has gone while its receive queue is full is aborted by its
// heartbeat timer (docs/decisions/0005). So only this end has one, and its queue has no limit of
// its own: what comes are answers to what was asked, which is limited.
Status Socket::watch_server() {
  auto done = set(ZMQ_RCVHWM, 0, "receive queue");
  if (done) done = set(ZMQ_HEARTBEAT_IVL, heartbeat_every_ms, "heartbeat");
  if (done) done = set(ZMQ_HEARTBEAT_TIMEOUT, silence_max_ms, "heartbeat timeout");
  return done;
}

Result<Socket> Socket::gatekeeper(Context& context) {
  auto socket = create(context, ZMQ_REP);
  if (!socket) return socket;
  if (auto done = socket->set(ZMQ_LINGER, 0, "linger"); !done) return done.error();
  if (zmq_bind(socket->raw_, "inproc://zeromq.zap.01") != 0)
    return library_error("starting the gatekeeper");
  return socket;
}

Result<Socket> Socket::monitor(Context& context, std::string const& name) {
  auto const endpoint = "inproc://" + name;
  if (zmq_socket_monitor(raw_, endpoint.c_str(), ZMQ_EVENT_ALL) != 0)
    return library_error("watching a socket");
  auto watcher = create(context, ZMQ_PAIR);
  if (watcher && watcher->set(ZMQ_LINGER, 0, "linger") && watcher->connect(endpoint))
    return watcher;
  end_monitor();
  return watcher ? library_error("watching a socket") : watcher.error();
}

void Socket::end_monitor() {
  zmq_socket_monitor(raw_, nullptr, 0);
}

Status Socket::bind(std::string const& endpoint) {
  if (zmq_bind(raw_, endpoint.c_str()) == 0) return ok();
  if (zmq_errno() == EADDRINUSE) return in_use(endpoint);
  return Error{Code::unavailable, "cannot listen at " + endpoint + ": " +
                                      zmq_strerror(zmq_errno()) +
                                      "; set an address of this machine"};
}

Status Socket::connect(std::string const& endpoint) {
  if (zmq_connect(raw_, endpoint.c_str()) == 0) return ok();
  return Error{Code::invalid, "cannot use " + endpoint + ": " + zmq_strerror(zmq_errno()) +
                                  "; check its spelling"};
}

std::string Socket::last_endpoint() const {
  std::array<char, 256> text{};
  std::size_t size = text.size();
  return zmq_getsockopt(raw_, ZMQ_LAST_ENDPOINT, text.data(), &size) == 0 ? text.data() : "";
}

bool Socket::receive(Frame& frame) {
  while (zmq_msg_recv(message(frame.raw_), raw_, ZMQ_DONTWAIT) < 0)
    if (zmq_errno() != EINTR) return false;
  return true;
}

bool Socket::wait(int wait_ms) {
  zmq_pollitem_t item{raw_, 0, ZMQ_POLLIN, 0};
  return zmq_poll(&item, 1, wait_ms) > 0;
}

Sent Socket::send(std::initializer_list<std::string_view> parts, bool more) {
  std::size_t size = 0;
  for (auto const part : parts) size += part.size();
  zmq_msg_t frame;
  if (zmq_msg_init_size(&frame, size) != 0) return Sent::full;
  auto* out = static_cast<char*>(zmq_msg_data(&frame));
  for (auto const part : parts) out = std::copy(part.begin(), part.end(), out);
  int const flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  while (zmq_msg_send(&frame, raw_, flags) < 0) {
    if (zmq_errno() == EINTR) continue;
    auto const problem = zmq_errno() == EAGAIN ? Sent::full : Sent::gone;
    zmq_msg_close(&frame);
    return problem;
  }
  return Sent::done;
}

bool Socket::writable() const {
  int events = 0;
  std::size_t size = sizeof(events);
  return zmq_getsockopt(raw_, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLOUT) != 0;
}

int Socket::descriptor() const {
  int fd = -1;
  std::size_t size = sizeof(fd);
  return zmq_getsockopt(raw_, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

bool Socket::receive_unless(Frame& frame, int stop) {
  std::array<zmq_pollitem_t, 2> items{{{raw_, 0, ZMQ_POLLIN, 0}, {nullptr, stop, ZMQ_POLLIN, 0}}};
  while (!receive(frame)) {
    if (zmq_poll(items.data(), int(items.size()), -1) < 0 && zmq_errno() != EINTR) return false;
    if (items[1].revents != 0) return false;
  }
  return true;
}

// An event is two frames: 16 bits of number and 32 of value, then the address.
Shake read_event(Socket& monitor, int wait_ms) {
  Frame event;
  if (!monitor.wait(wait_ms) || !monitor.receive(event)) return Shake::none;
  std::uint16_t number = 0;
  if (event.bytes().size() >= sizeof(number))
    std::memcpy(&number, event.bytes().data(), sizeof(number));
  Frame address;
  if (event.more()) monitor.receive(address);
  switch (number) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      return Shake::accepted;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
    case ZMQ_EVENT_DISCONNECTED:
      return Shake::refused;
    default:
      return Shake::other;
  }
}

}  // namespace lepton::bus
