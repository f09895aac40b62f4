// The compiler itself is the subject: each bad type must be refused by complete().
#include "common/schema/schema.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lepton::schema {
namespace {

struct Good {
  std::string name;
  int count = 0;
  std::vector<int> list;
  static consteval auto fields() {
    return schema::fields(field(1, "name", &Good::name, "The name."),
                          field(2, "count", &Good::count, "How many.").bounds(0, 9).since(2),
                          field(5, "list", &Good::list, "Numbers."));
  }
};
static_assert(complete<Good>());
static_assert(field_count<Good> == 3);
static_assert(Described<Good> && !Described<int> && !Described<std::string>);

struct Nested {
  Good good;
  int n = 0;
  static consteval auto fields() {
    return schema::fields(field(1, "good", &Nested::good, "A nested one."),
                          field(2, "n", &Nested::n, "A number."));
  }
};
static_assert(complete<Nested>());

struct Forgotten {
  int a = 0;
  int b = 0;
  static consteval auto fields() {
    return schema::fields(field(1, "a", &Forgotten::a, "Only this."));
  }
};
static_assert(!complete<Forgotten>(), "a member without a field");

struct RepeatedMember {
  int a = 0;
  int b = 0;
  static consteval auto fields() {
    return schema::fields(field(1, "a", &RepeatedMember::a, "One."),
                          field(2, "b", &RepeatedMember::a, "The same again."));
  }
};
static_assert(!complete<RepeatedMember>());

struct RepeatedId {
  int a = 0;
  int b = 0;
  static consteval auto fields() {
    return schema::fields(field(1, "a", &RepeatedId::a, "One."),
                          field(1, "b", &RepeatedId::b, "Two."));
  }
};
static_assert(!complete<RepeatedId>());

struct FallingId {
  int a = 0;
  int b = 0;
  static consteval auto fields() {
    return schema::fields(field(2, "a", &FallingId::a, "One."),
                          field(1, "b", &FallingId::b, "Two."));
  }
};
static_assert(!complete<FallingId>());

struct ZeroId {
  int a = 0;
  static consteval auto fields() { return schema::fields(field(0, "a", &ZeroId::a, "One.")); }
};
static_assert(!complete<ZeroId>());

struct RepeatedName {
  int a = 0;
  int b = 0;
  static consteval auto fields() {
    return schema::fields(field(1, "a", &RepeatedName::a, "One."),
                          field(2, "a", &RepeatedName::b, "Two."));
  }
};
static_assert(!complete<RepeatedName>());

struct NoSentence {
  int a = 0;
  static consteval auto fields() { return schema::fields(field(1, "a", &NoSentence::a, "")); }
};
static_assert(!complete<NoSentence>());

struct NoName {
  int a = 0;
  static consteval auto fields() { return schema::fields(field(1, "", &NoName::a, "One.")); }
};
static_assert(!complete<NoName>());

struct Retired {
  static constexpr int retired[] = {2, 3};
  int a = 0;
  static consteval auto fields() { return schema::fields(field(3, "a", &Retired::a, "One.")); }
};
static_assert(!complete<Retired>(), "a retired id is never used again");

struct AfterRetired {
  static constexpr int retired[] = {2, 3};
  int a = 0;
  static consteval auto fields() { return schema::fields(field(4, "a", &AfterRetired::a, "One.")); }
};
static_assert(complete<AfterRetired>());

enum class Colour { unknown, red, green };
consteval auto enumerators(Colour) {
  return std::to_array<std::string_view>({"unknown", "red", "green"});
}
enum class Plain { a };
static_assert(NamedEnum<Colour> && !NamedEnum<Plain> && !NamedEnum<int>);
static_assert(name_of(Colour::green) == "green");
static_assert(name_of(static_cast<Colour>(77)) == "unknown");

TEST(Schema, EachVisitsInOrderWithTheMarks) {
  std::vector<std::string> names;
  each<Good>([&](auto const& f) {
    names.emplace_back(f.name);
    EXPECT_EQ(f.bounded, f.name == "count");
    EXPECT_EQ(f.since_version, f.name == "count" ? 2 : 0);
  });
  EXPECT_EQ(names, (std::vector<std::string>{"name", "count", "list"}));
}

TEST(Schema, MarksDoNotTouchEachOther) {
  constexpr auto f = field(1, "n", &Nested::n, "A number.").key().optional().restart().bounds(1, 2);
  static_assert(f.is_key && f.since_version == 1 && f.needs_restart && f.bounded && f.max == 2);
  constexpr auto plain = field(1, "n", &Nested::n, "A number.");
  static_assert(!plain.is_key && plain.since_version == 0 && !plain.needs_restart &&
                !plain.bounded);
  EXPECT_EQ(plain.doc, f.doc);
}

}  // namespace
}  // namespace lepton::schema
