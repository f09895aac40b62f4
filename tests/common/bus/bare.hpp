#pragma once
// Sockets without the rules of this project: of libzmq with its defaults, and of the kernel.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <string>

#include "common/bus/gatekeeper.hpp"
#include "common/bus/sockets.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus::rig {

// A bare socket: no keys, no limits, nothing but a bounded wait and end.
class Bare {
 public:
  Bare(Context& context, int type) : raw_(zmq_socket(context.raw(), type)) {
    set(ZMQ_LINGER, 0);
    set(ZMQ_RCVTIMEO, 2'000);
    set(ZMQ_SNDTIMEO, 2'000);
  }
  ~Bare() { zmq_close(raw_); }
  Bare(Bare const&) = delete;
  Bare& operator=(Bare const&) = delete;

  void set(int option, int value) { zmq_setsockopt(raw_, option, &value, sizeof(value)); }
  void set(int option, std::string const& value) {
    zmq_setsockopt(raw_, option, value.data(), value.size());
  }
  std::string bind() {
    EXPECT_EQ(zmq_bind(raw_, "tcp://127.0.0.1:*"), 0);
    char endpoint[64];
    std::size_t size = sizeof(endpoint);
    EXPECT_EQ(zmq_getsockopt(raw_, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    return endpoint;
  }
  void connect(std::string const& endpoint) { EXPECT_EQ(zmq_connect(raw_, endpoint.c_str()), 0); }
  bool send(std::string const& text, int flags = 0) {
    return zmq_send(raw_, text.data(), text.size(), flags) >= 0;
  }
  // With a bounded wait.
  std::string receive() {
    char buffer[4096];  // longer messages count as they are, and come truncated
    auto const size = zmq_recv(raw_, buffer, sizeof(buffer), 0);
    return size < 0 ? "(nothing)"
                    : std::string(buffer, std::min(sizeof(buffer), static_cast<std::size_t>(size)));
  }
  void* raw() const { return raw_; }

 private:
  void* raw_;
};

// A door of our own sockets with its gatekeeper, without a bus behind it, and who comes in.
struct Visited {
  Context context;
  KeyPair server_keys = rig::keys(), keys = rig::keys();
  std::unique_ptr<Gatekeeper> gatekeeper = Gatekeeper::start(context, {}).value();
  Socket server = Socket::server(context, Pattern::router, client_domain, server_keys, {}).value();
  bool is_bound = bool(server.bind("tcp://127.0.0.1:0"));
  Raw client{server.last_endpoint(), server_keys.public_key, &keys};
};

// Bytes to a door without libzmq, so without any handshake.
class Wire {
 public:
  explicit Wire(std::string const& endpoint) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto const port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    timeval const patience{2, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    is_open = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Wire() { ::close(fd_); }
  Wire(Wire const&) = delete;
  Wire& operator=(Wire const&) = delete;

  bool send(std::string const& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size());
  }
  bool is_open = false;

 private:
  int fd_;
};

// ZMTP 3.1: signature, version, mechanism, as-server, filler (rfc.zeromq.org/spec/37).
inline std::string greeting(std::string const& mechanism = "CURVE") {
  auto bytes = std::string("\xff\0\0\0\0\0\0\0\1\x7f\3\1", 12) + mechanism;
  bytes.resize(64, '\0');
  return bytes;
}

}  // namespace lepton::bus::rig
