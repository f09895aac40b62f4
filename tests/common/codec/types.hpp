#pragma once
// One type with a field of every kind, and an older and a newer form of a message.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/codec/json.hpp"
#include "common/codec/msgpack.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::codec {

using ThingId = Id<struct ThingTag>;

enum class Colour : std::uint8_t { unknown, red, green };
consteval auto enumerators(Colour) {
  return std::to_array<std::string_view>({"unknown", "red", "green"});
}

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(Point const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "x", &Point::x, "Across."), field(2, "y", &Point::y, "Up."));
  }
};
static_assert(schema::complete<Point>());

struct Everything {
  bool flag = false;
  std::int8_t tiny = 0;
  std::uint16_t small = 0;
  std::int32_t medium = 0;
  std::uint32_t count = 0;
  std::int64_t large = 0;
  std::uint64_t huge = 0;
  double real = 0;
  std::string text;
  Bytes bytes;
  ThingId id;
  Colour colour = Colour::red;
  std::optional<std::int64_t> maybe;
  std::vector<std::string> list;
  std::vector<Point> points;
  std::map<std::string, std::int64_t> map;
  Point point;

  bool operator==(Everything const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using E = Everything;
    return schema::fields(
        field(1, "flag", &E::flag, "A flag."), field(2, "tiny", &E::tiny, "8 bits."),
        field(3, "small", &E::small, "16 bits."), field(4, "medium", &E::medium, "32 bits."),
        field(5, "count", &E::count, "32 bits from 0."), field(6, "large", &E::large, "64 bits."),
        field(7, "huge", &E::huge, "64 bits from 0."), field(8, "real", &E::real, "A double."),
        field(9, "text", &E::text, "Text."), field(10, "bytes", &E::bytes, "Octets."),
        field(11, "id", &E::id, "An identity."), field(12, "colour", &E::colour, "An enum."),
        field(13, "maybe", &E::maybe, "Perhaps."), field(14, "list", &E::list, "Texts."),
        field(15, "points", &E::points, "Points."), field(16, "map", &E::map, "Numbers by name."),
        field(17, "point", &E::point, "A nested one."));
  }
};
static_assert(schema::complete<Everything>());

struct Older {
  std::string name;
  std::int64_t count = 0;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "name", &Older::name, "The name."),
                          field(3, "count", &Older::count, "How many.").bounds(0, 100));
  }
};
static_assert(schema::complete<Older>());

struct Newer {
  std::string name;
  std::int64_t between = 7;
  std::int64_t count = 0;
  std::string remark = "none";
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "name", &Newer::name, "The name."),
                          field(2, "between", &Newer::between, "Came later.").since(2),
                          field(3, "count", &Newer::count, "How many."),
                          field(9, "remark", &Newer::remark, "Came later.").since(3));
  }
};
static_assert(schema::complete<Newer>());

inline std::string printable() {
  return *rc::gen::container<std::string>(rc::gen::inRange<char>(32, 126));
}

inline Everything any_thing() {
  Everything e;
  e.flag = *rc::gen::arbitrary<bool>();
  e.tiny = *rc::gen::arbitrary<std::int8_t>();
  e.small = *rc::gen::arbitrary<std::uint16_t>();
  e.medium = *rc::gen::arbitrary<std::int32_t>();
  e.count = *rc::gen::arbitrary<std::uint32_t>();
  e.large = *rc::gen::arbitrary<std::int64_t>();
  e.huge = *rc::gen::arbitrary<std::uint64_t>();
  e.real = *rc::gen::arbitrary<double>();
  e.text = printable();
  e.bytes.data = *rc::gen::arbitrary<std::string>();
  e.id.value = printable();
  e.colour = *rc::gen::element(Colour::red, Colour::green);
  if (*rc::gen::arbitrary<bool>()) e.maybe = *rc::gen::arbitrary<std::int64_t>();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) e.list.push_back(printable());
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    e.points.push_back({*rc::gen::arbitrary<std::int32_t>(), i});
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    e.map["k" + std::to_string(i)] = *rc::gen::arbitrary<std::int64_t>();
  e.point = {*rc::gen::arbitrary<std::int32_t>(), -1};
  return e;
}

}  // namespace lepton::codec
