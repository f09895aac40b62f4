#pragma once
// MessagePack codec for described types: a map from field id to value. An unknown id is skipped; a
// required id that is missing, an id twice, a wrong type or a value out of range is refused, with
// the field named. msgpack-cxx itself is included in msgpack.cpp only. Any thread; no state between
// calls. Limits against hostile input: size, nesting, element counts (see `Limits`), no trailing
// bytes.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/codec/kinds.hpp"

namespace lepton::codec {

struct Limits {
  std::size_t bytes_max = 4u << 20;
  std::size_t elements_max = 1u << 18;  // of one array or map
  std::size_t depth_max = 16;
};

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void map(std::size_t n);
  void array(std::size_t n);
  void nil();
  void put(bool x);
  void put_signed(std::int64_t x);
  void put_unsigned(std::uint64_t x);
  void put(double x);
  void put(std::string_view x);
  void put_bytes(std::string_view x);

  template <class T>
  void write(T const& x) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, double>) {
      put(x);
    } else if constexpr (std::is_signed_v<T> && Integer<T>) {
      put_signed(x);
    } else if constexpr (Integer<T>) {
      put_unsigned(x);
    } else if constexpr (std::is_same_v<T, std::string>) {
      put(std::string_view(x));
    } else if constexpr (std::is_same_v<T, Bytes>) {
      put_bytes(x.data);
    } else if constexpr (is_a<T, Secret>) {
      put_bytes(x.reveal());
    } else if constexpr (is_a<T, Id>) {
      put(std::string_view(x.value));
    } else if constexpr (schema::NamedEnum<T>) {
      put_unsigned(static_cast<std::uint64_t>(x));
    } else {
      write_compound(x);
    }
  }

 private:
  template <class T>
  void write_compound(T const& x) {
    if constexpr (is_a<T, std::optional>) {
      x ? write(*x) : nil();
    } else if constexpr (is_a<T, std::vector>) {
      array(x.size());
      for (auto const& item : x) write(item);
    } else if constexpr (is_a<T, std::map>) {
      map(x.size());
      for (auto const& [key, value] : x) write(key), write(value);
    } else {
      static_assert(schema::Described<T>, "this type has no wire form");
      map(schema::field_count<T>);
      schema::each<T>([&](auto const& f) {
        put_unsigned(static_cast<std::uint64_t>(f.id));
        write(x.*f.member);
      });
    }
  }
  std::string& out_;
};

// A view of one decoded element; valid while its Document lives.
class Element {
 public:
  explicit Element(void const* object) : object_(object) {}

  bool is_nil() const;
  bool get(bool& x) const;
  bool get(double& x) const;
  bool get_signed(std::int64_t& x) const;
  bool get_unsigned(std::uint64_t& x) const;
  bool get_text(std::string_view& x) const;
  bool get_bytes(std::string_view& x) const;
  bool is_array() const;
  bool is_map() const;
  std::size_t size() const;                // of an array or map
  Element item(std::size_t i) const;       // of an array
  Element map_key(std::size_t i) const;    // of a map
  Element map_value(std::size_t i) const;  // of a map

 private:
  void const* object_;
};

class Document {
 public:
  static Result<Document> parse(std::string_view bytes, Limits const& limits = {});
  Document(Document&&) noexcept;
  ~Document();
  Element root() const;

 private:
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

namespace detail {

// Reads an element into x; on failure `problem` holds the path from the inside out.
class Reader {
 public:
  template <class T>
  bool read(Element e, T& x) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, double>) {
      return e.get(x) || expected(std::is_same_v<T, bool> ? "true or false" : "a number");
    } else if constexpr (Integer<T>) {
      return read_integer(e, x);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return read_text(e, x);
    } else if constexpr (is_a<T, Id>) {
      return read_text(e, x.value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      std::string_view bytes;
      return e.get_bytes(bytes) ? (x.data = bytes, true) : expected("bytes");
    } else if constexpr (is_a<T, Secret>) {
      std::string_view bytes;
      return e.get_bytes(bytes) ? (x = T(std::string(bytes)), true) : expected("bytes");
    } else if constexpr (schema::NamedEnum<T>) {
      std::uint64_t number = 0;
      return e.get_unsigned(number) ? (x = enum_from_number<T>(number), true)
                                    : expected("an enumerator");
    } else {
      return read_compound(e, x);
    }
  }
  std::string problem;

 private:
  bool expected(char const* what) {
    problem = std::string(": expected ") + what;
    return false;
  }
  bool within(std::string_view name) {
    problem =
        problem.starts_with(':') ? std::string(name) + problem : std::string(name) + "." + problem;
    return false;
  }
  bool read_text(Element e, std::string& x) {
    std::string_view text;
    return e.get_text(text) ? (x = text, true) : expected("text");
  }

  template <class T>
  bool read_integer(Element e, T& x) {
    if constexpr (std::is_signed_v<T>) {
      std::int64_t wide = 0;
      if (!e.get_signed(wide)) return expected("an integer");
      if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
        return expected("a smaller integer");
      x = static_cast<T>(wide);
    } else {
      std::uint64_t wide = 0;
      if (!e.get_unsigned(wide)) return expected("an integer from 0");
      if (wide > std::numeric_limits<T>::max()) return expected("a smaller integer");
      x = static_cast<T>(wide);
    }
    return true;
  }

  template <class T>
  bool read_compound(Element e, T& x) {
    if constexpr (is_a<T, std::optional>) {
      if (e.is_nil()) return x.reset(), true;
      return read(e, x.emplace());
    } else if constexpr (is_a<T, std::vector>) {
      if (!e.is_array()) return expected("a list");
      x.clear();
      x.reserve(e.size());
      for (std::size_t i = 0; i < e.size(); ++i)
        if (!read(e.item(i), x.emplace_back())) return within(std::to_string(i));
      return true;
    } else if constexpr (is_a<T, std::map>) {
      return read_map(e, x);
    } else {
      return read_described(e, x);
    }
  }

  template <class T>
  bool read_map(Element e, T& x) {
    if (!e.is_map()) return expected("a map");
    x.clear();
    for (std::size_t i = 0; i < e.size(); ++i) {
      typename T::key_type key;
      if (!read(e.map_key(i), key)) return within("key");
      auto const [place, added] = x.try_emplace(std::move(key));
      if (!added) return expected("each key once");
      if (!read(e.map_value(i), place->second)) return within(place->first);
    }
    return true;
  }

  // Senders write ids in rising order, so the search for the next id almost always hits at once.
  template <class T>
  bool read_described(Element e, T& x) {
    if (!e.is_map()) return expected("a map");
    std::size_t next = 0;
    auto const n = e.size();
    for (std::size_t i = 1, last = 0; i <= n; ++i) {
      std::uint64_t id = 0;
      if (!e.map_key(i - 1).get_unsigned(id)) return expected("a field id");
      if (i > 1 && id <= last) return expected("field ids in rising order, each once");
      last = id;
    }
    bool good = true;
    schema::each<T>([&](auto const& f) {
      if (!good) return;
      std::uint64_t id = 0;
      while (next < n && e.map_key(next).get_unsigned(id) && id < std::uint64_t(f.id)) ++next;
      bool const present = next < n && id == std::uint64_t(f.id);
      if (present)
        good =
            (read(e.map_value(next), x.*f.member) && in_bounds(f, x.*f.member)) || within(f.name);
      else if (f.since_version == 0)
        good = expected("a value") || within(f.name);
    });
    return good;
  }

  template <class F, class T>
  bool in_bounds(F const& f, T const& x) {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      if (f.bounded && !(double(x) >= f.min && double(x) <= f.max))  // refuses NaN too
        return expected("a value within its bounds");
    }
    return true;
  }
};

}  // namespace detail

template <class T>
std::string encode(T const& x) {
  std::string out;
  Writer(out).write(x);
  return out;
}

template <class T>
Result<T> decode(std::string_view bytes, Limits const& limits = {}) {
  auto document = Document::parse(bytes, limits);
  if (!document) return document.error();
  T x{};
  detail::Reader reader;
  if (!reader.read(document->root(), x)) return Error{Code::invalid, "field " + reader.problem};
  return x;
}

}  // namespace lepton::codec
