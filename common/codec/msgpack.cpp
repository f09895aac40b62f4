#include "common/codec/msgpack.hpp"

#include <msgpack.hpp>

namespace lepton::codec {
namespace {

constexpr std::size_t small_message_bytes = 160;  // most messages are written in one allocation

struct Sink {
  std::string& out;
  void write(char const* data, std::size_t size) { out.append(data, size); }
};

auto packer(Sink& sink) {
  return msgpack::packer<Sink>(sink);
}
msgpack::object const& object(void const* p) {
  return *static_cast<msgpack::object const*>(p);
}

}  // namespace

void Writer::map(std::size_t n) {
  if (out_.capacity() < small_message_bytes) out_.reserve(small_message_bytes);
  Sink sink{out_};
  packer(sink).pack_map(static_cast<std::uint32_t>(n));
}
void Writer::array(std::size_t n) {
  Sink sink{out_};
  packer(sink).pack_array(static_cast<std::uint32_t>(n));
}
void Writer::nil() {
  Sink sink{out_};
  packer(sink).pack_nil();
}
void Writer::put(bool x) {
  Sink sink{out_};
  packer(sink).pack(x);
}
void Writer::put_signed(std::int64_t x) {
  Sink sink{out_};
  packer(sink).pack(x);
}
void Writer::put_unsigned(std::uint64_t x) {
  Sink sink{out_};
  packer(sink).pack(x);
}
void Writer::put(double x) {
  Sink sink{out_};
  packer(sink).pack(x);
}
void Writer::put(std::string_view x) {
  Sink sink{out_};
  auto p = packer(sink);
  p.pack_str(static_cast<std::uint32_t>(x.size()));
  p.pack_str_body(x.data(), static_cast<std::uint32_t>(x.size()));
}
void Writer::put_bytes(std::string_view x) {
  Sink sink{out_};
  auto p = packer(sink);
  p.pack_bin(static_cast<std::uint32_t>(x.size()));
  p.pack_bin_body(x.data(), static_cast<std::uint32_t>(x.size()));
}

bool Element::is_nil() const {
  return object(object_).type == msgpack::type::NIL;
}
bool Element::is_array() const {
  return object(object_).type == msgpack::type::ARRAY;
}
bool Element::is_map() const {
  return object(object_).type == msgpack::type::MAP;
}

bool Element::get(bool& x) const {
  auto const& o = object(object_);
  if (o.type != msgpack::type::BOOLEAN) return false;
  x = o.via.boolean;
  return true;
}

bool Element::get(double& x) const {
  auto const& o = object(object_);
  if (o.type == msgpack::type::FLOAT64 || o.type == msgpack::type::FLOAT32)
    x = o.via.f64;
  else if (o.type == msgpack::type::POSITIVE_INTEGER)
    x = static_cast<double>(o.via.u64);
  else if (o.type == msgpack::type::NEGATIVE_INTEGER)
    x = static_cast<double>(o.via.i64);
  else
    return false;
  return true;
}

bool Element::get_signed(std::int64_t& x) const {
  auto const& o = object(object_);
  bool const fits = o.type == msgpack::type::NEGATIVE_INTEGER ||
                    (o.type == msgpack::type::POSITIVE_INTEGER &&
                     o.via.u64 <= std::uint64_t(std::numeric_limits<std::int64_t>::max()));
  if (fits) x = o.via.i64;
  return fits;
}

bool Element::get_unsigned(std::uint64_t& x) const {
  auto const& o = object(object_);
  if (o.type != msgpack::type::POSITIVE_INTEGER) return false;
  x = o.via.u64;
  return true;
}

bool Element::get_text(std::string_view& x) const {
  auto const& o = object(object_);
  if (o.type != msgpack::type::STR) return false;
  x = {o.via.str.ptr, o.via.str.size};
  return true;
}

bool Element::get_bytes(std::string_view& x) const {
  auto const& o = object(object_);
  if (o.type != msgpack::type::BIN) return false;
  x = {o.via.bin.ptr, o.via.bin.size};
  return true;
}

std::size_t Element::size() const {
  auto const& o = object(object_);
  return o.type == msgpack::type::MAP ? o.via.map.size : o.via.array.size;
}
Element Element::item(std::size_t i) const {
  return Element(&object(object_).via.array.ptr[i]);
}
Element Element::map_key(std::size_t i) const {
  return Element(&object(object_).via.map.ptr[i].key);
}
Element Element::map_value(std::size_t i) const {
  return Element(&object(object_).via.map.ptr[i].val);
}

struct Document::Impl {
  msgpack::zone zone{2048};  // holds no text: that stays where it was received
  msgpack::object root;

  // Each thread keeps one for its next message, which saves most of the allocations.
  static std::unique_ptr<Impl>& spare() {
    thread_local std::unique_ptr<Impl> kept;
    return kept;
  }
  static std::unique_ptr<Impl> take() {
    return spare() ? std::move(spare()) : std::make_unique<Impl>();
  }
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document::~Document() {
  if (!impl_ || Impl::spare()) return;
  impl_->zone.clear();
  Impl::spare() = std::move(impl_);
}
Element Document::root() const {
  return Element(&impl_->root);
}

Result<Document> Document::parse(std::string_view bytes, Limits const& limits) {
  if (bytes.size() > limits.bytes_max)
    return Error{Code::invalid,
                 "message is larger than " + std::to_string(limits.bytes_max) + " bytes"};
  try {
    auto impl = Impl::take();
    std::size_t offset = 0;
    // An array of n elements needs n bytes at least: a tiny message cannot claim 2^32 of them.
    auto const elements = std::min(limits.elements_max, bytes.size());
    msgpack::unpack_limit const limit(elements, elements, bytes.size(), bytes.size(), 0,
                                      limits.depth_max);
    auto const by_reference = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    bool referenced = false;
    impl->root = msgpack::unpack(impl->zone, bytes.data(), bytes.size(), offset, referenced,
                                 by_reference, nullptr, limit);
    if (offset != bytes.size()) return Error{Code::invalid, "message has trailing bytes"};
    return Document(std::move(impl));
  } catch (std::exception const& e) {
    return Error{Code::invalid, std::string("message is not valid msgpack: ") + e.what()};
  }
}

}  // namespace lepton::codec
