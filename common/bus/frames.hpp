#pragma once
// A message on the wire is one ZeroMQ frame: the size of its header (4 octets, big-endian), the
// header, the body. One frame, because libzmq 4.3.4 aborts the process of a DEALER with IMMEDIATE
// when its server dies between two frames of an answer ("!_more", fq.cpp); and it costs one
// encryption less. Counts, sizes, nesting and version are checked in this order, before anything is
// believed. What is wrong is told as a Fault; the id survives where it can be read, so that the
// sender can be refused. Any thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/bus/limits.hpp"
#include "common/bus/sockets.hpp"
#include "schemas/platform.hpp"

namespace lepton::bus {

enum class Fault : std::uint8_t {
  none,
  frame_count,
  header_size,
  body_size,
  header,
  version,
  kind
};

// What each fault means to the sender, in words that name the limit.
std::string explain(Fault fault, Limits const& limits);

enum class Side : std::uint8_t {
  server,
  client
};  // requests arrive at servers, answers at clients

struct Received {
  std::string identity;  // where an answer goes; only at a server
  std::string key;       // who sent it, z85; only at a server
  Header header;         // after a fault only its id and topic may be there
  std::string body;
  Fault fault = Fault::none;
};

// The octets that go in front of a header.
class HeaderSize {
 public:
  explicit HeaderSize(std::size_t size)
      : octets_{char(size >> 24), char(size >> 16), char(size >> 8), char(size)} {}
  operator std::string_view() const { return {octets_.data(), octets_.size()}; }

 private:
  std::array<char, header_size_octets> octets_;
};
inline HeaderSize header_size(std::string_view header) {
  return HeaderSize(header.size());
}

// What a stranger may have sent: checks and reads the octets of a frame into header, body and
// fault. The body stays empty after a fault.
void read_frame(std::string_view frame, Side side, Limits const& limits, Received& out);

// A hint is a frame for itself: name of the stream, this, Hint.
inline constexpr std::string_view topic_end("\0", 1);

// False if it cannot be read, or does not speak for `sender` and for the stream in front.
bool read_hint(std::string_view frame, std::string_view sender, Limits const& limits, Hint& out);

// Takes one whole message; false if there is none.
bool receive(Socket& socket, Side side, Limits const& limits, Received& out);

// The rest of a message of which too much has come.
void skip(Socket& socket, bool more);

// Checks and reads a header.
Fault read_header(std::string_view bytes, Side side, Limits const& limits, Header& out);

bool legal_id(std::string_view id);

}  // namespace lepton::bus
