// The yardstick: libzmq with CURVE as it comes, DEALER and ROUTER, PUB and SUB. Messages are
// encoded and decoded at both ends; there are no headers, no gatekeeper, no tokens, no ids, no
// resending.

#include <zmq.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/messaging/side.hpp"
#include "common/codec/msgpack.hpp"
#include "schemas/platform.hpp"

namespace lepton::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int queue = Load{}.queue;

void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  std::_Exit(1);
}

void set_int(void* socket, int option, int value) {
  require(zmq_setsockopt(socket, option, &value, sizeof(value)) == 0, "zmq_setsockopt");
}

void* server_socket(int type, Shared& shared) {
  void* const socket = zmq_socket(zmq_ctx_new(), type);
  char open[41], secret[41];
  require(zmq_curve_keypair(open, secret) == 0, "zmq_curve_keypair");
  set_int(socket, ZMQ_CURVE_SERVER, 1);
  require(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 41) == 0, "secret key");
  set_int(socket, ZMQ_SNDHWM, queue);
  set_int(socket, ZMQ_RCVHWM, queue);
  require(zmq_bind(socket, shared.endpoint) == 0, "zmq_bind");
  std::memcpy(shared.server_key, open, sizeof(open));
  shared.ready = true;
  return socket;
}

void* client_socket(int type, Shared& shared) {
  wait_ready(shared);
  void* const socket = zmq_socket(zmq_ctx_new(), type);
  char open[41], secret[41];
  require(zmq_curve_keypair(open, secret) == 0, "zmq_curve_keypair");
  require(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, shared.server_key, 41) == 0, "server key");
  require(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, open, 41) == 0, "public key");
  require(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 41) == 0, "secret key");
  set_int(socket, ZMQ_SNDHWM, queue);
  set_int(socket, ZMQ_RCVHWM, queue);
  if (type == ZMQ_SUB) require(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0, "subscribe");
  require(zmq_connect(socket, shared.endpoint) == 0, "zmq_connect");
  return socket;
}

template <class T>
T take(void* socket) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  require(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
  auto out = codec::decode<T>({static_cast<char*>(zmq_msg_data(&message)), zmq_msg_size(&message)});
  require(bool(out), "decode");
  zmq_msg_close(&message);
  return std::move(*out);
}

void give(void* socket, std::string const& bytes) {
  require(zmq_send(socket, bytes.data(), bytes.size(), 0) >= 0, "zmq_send");
}

}  // namespace

void bare_server(Load const&, Shared& shared) {
  void* const socket = server_socket(ZMQ_ROUTER, shared);
  while (true) {
    char identity[16];
    int const size = zmq_recv(socket, identity, sizeof(identity), 0);
    require(size > 0, "zmq_recv");
    auto const sample = take<Sample>(socket);
    require(zmq_send(socket, identity, std::size_t(size), ZMQ_SNDMORE) == size, "zmq_send");
    give(socket, codec::encode(sample));
  }
}

void bare_client(Load const& load, Shared& shared) {
  void* const socket = client_socket(ZMQ_DEALER, shared);
  Sample const sample;
  measure_rtt(load, shared, [&] {
    give(socket, codec::encode(sample));
    take<Sample>(socket);
  });
  auto const begin = Clock::now();
  for (int sent = 0, got = 0; got < load.pipelined_count; ++got) {
    for (; sent < load.pipelined_count && sent - got < load.window; ++sent)
      give(socket, codec::encode(sample));
    take<Sample>(socket);
  }
  shared.pipelined_rps =
      load.pipelined_count / std::chrono::duration<double>(Clock::now() - begin).count();
}

// Like ours, but bare: XPUB waits for its subscriber once, then both only stream.
void bare_publisher(Load const& load, Shared& shared) {
  void* const socket = server_socket(ZMQ_XPUB, shared);
  char subscription[2];
  require(zmq_recv(socket, subscription, sizeof(subscription), 0) > 0, "subscription");
  Pace const pace(load, shared);
  for (std::int64_t i = 1; true; ++i) {
    pace.before(i);
    give(socket, codec::encode(Hint{"bench", "stream", 1, i}));
  }
}

void bare_subscriber(Load const& load, Shared& shared) {
  void* const socket = client_socket(ZMQ_SUB, shared);
  // The number of the hint, not the count, tells how far the publisher is ahead: a loss must not
  // stop it.
  shared.received = take<Hint>(socket).head;
  auto const begin = Clock::now();
  for (std::int64_t got = 0; got < load.pubsub_count; ++got)
    shared.received = take<Hint>(socket).head;
  shared.pubsub_mps =
      load.pubsub_count / std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace lepton::bench
