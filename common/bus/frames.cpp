#include "common/bus/frames.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton::bus {
namespace {

constexpr std::size_t header_depth_max = 4;
constexpr std::size_t header_elements_max = 64;

// What stays in the header of every version to come.
struct HeaderPeek {
  std::uint32_t version = 0;
  std::string id;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "version", &HeaderPeek::version, "Major version of the frame."),
                          field(4, "id", &HeaderPeek::id, "Identity of the request.").since(1));
  }
};
static_assert(schema::complete<HeaderPeek>());

bool legal_topic(std::string_view topic) {
  return !topic.empty() && topic.size() <= topic_bytes_max &&
         std::all_of(topic.begin(), topic.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

bool right_kind(Side side, Kind kind) {
  return side == Side::server ? kind == Kind::request
                              : kind == Kind::reply || kind == Kind::refusal;
}

// Header and body within a frame; false if it is too short for what it says.
bool split(std::string_view frame, std::string_view& header, std::string_view& body) {
  if (frame.size() < header_size_octets) return false;
  std::size_t size = 0;
  for (std::size_t i = 0; i < header_size_octets; ++i)
    size = size << 8 | static_cast<unsigned char>(frame[i]);
  if (size > frame.size() - header_size_octets) return false;
  header = frame.substr(header_size_octets, size);
  body = frame.substr(header_size_octets + size);
  return true;
}

}  // namespace

void skip(Socket& socket, bool more) {
  while (more) {
    Frame extra;
    more = socket.receive(extra) && extra.more();
  }
}

bool legal_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string explain(Fault fault, Limits const& limits) {
  switch (fault) {
    case Fault::none:
      return "nothing is wrong";
    case Fault::frame_count:
      return "a message is one frame: size of the header, header, body";
    case Fault::header_size:
      return "the header is larger than " + std::to_string(limits.header_bytes_max) +
             " bytes, or than its message";
    case Fault::body_size:
      return "the body is larger than " + std::to_string(limits.body_bytes_max) +
             " bytes; send it in parts";
    case Fault::header:
      return "the header cannot be read; are both sides of one version?";
    case Fault::version:
      return "this service speaks version " + std::to_string(wire_version) +
             " of the protocol and the message is of another; bring both sides to one version";
    case Fault::kind:
      return "a request must say that it is one, and name a topic";
  }
  return "";
}

Fault read_header(std::string_view bytes, Side side, Limits const& limits, Header& out) {
  if (bytes.size() > limits.header_bytes_max) return Fault::header_size;
  codec::Limits const strict{limits.header_bytes_max, header_elements_max, header_depth_max};
  auto header = codec::decode<Header>(bytes, strict);
  if (!header) {
    auto peek = codec::decode<HeaderPeek>(bytes, strict);
    if (peek && legal_id(peek->id)) out.id = std::move(peek->id);
    return peek && peek->version != wire_version ? Fault::version : Fault::header;
  }
  if (!legal_id(header->id)) return Fault::header;
  out = std::move(*header);
  if (out.version != wire_version) return Fault::version;
  return right_kind(side, out.kind) && legal_topic(out.topic) ? Fault::none : Fault::kind;
}

void read_frame(std::string_view frame, Side side, Limits const& limits, Received& out) {
  std::string_view header, body;
  if (!split(frame, header, body)) {
    out.fault = Fault::header_size;
    return;
  }
  out.fault = read_header(header, side, limits, out.header);
  if (out.fault != Fault::none) return;
  if (body.size() > limits.body_bytes_max)
    out.fault = Fault::body_size;
  else
    out.body = body;
}

bool read_hint(std::string_view frame, std::string_view sender, Limits const& limits, Hint& out) {
  auto const topic = frame.substr(0, frame.find(topic_end));
  if (topic.size() == frame.size() || frame.size() > limits.header_bytes_max) return false;
  auto hint = codec::decode<Hint>(frame.substr(topic.size() + topic_end.size()));
  if (!hint || hint->sender != sender || hint->stream != topic) return false;
  out = std::move(*hint);
  return true;
}

bool receive(Socket& socket, Side side, Limits const& limits, Received& out) {
  Frame frame;
  if (!socket.receive(frame)) return false;
  if (side == Side::server) {
    out.identity = frame.bytes();
    if (planted("user_of_first_frame")) out.key = frame.user_id();
    if (!frame.more() || !socket.receive(frame)) return out.fault = Fault::frame_count, true;
    if (!planted("user_of_first_frame")) out.key = frame.user_id();
  }
  if (frame.more()) return skip(socket, true), out.fault = Fault::frame_count, true;
  read_frame(frame.bytes(), side, limits, out);
  return true;
}

}  // namespace lepton::bus
