// JSON and YAML: the same strict conversion, and where each is told apart.
#include <cmath>

#include "schemas/values.hpp"
#include "tests/common/codec/types.hpp"

namespace lepton::codec {
namespace {

struct Hidden {
  Secret<std::string> secret;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "secret", &Hidden::secret, "The secret."));
  }
};

template <class T>
concept WritesJson = requires(T const& x) {
  to_json(x);
};
template <class T>
concept ReadsJson = requires(std::string_view s) {
  from_json<T>(s);
};
template <class T>
concept WritesYaml = requires(T const& x) {
  to_yaml(x);
};
static_assert(WritesJson<Point> && ReadsJson<Point> && WritesYaml<Point>);
static_assert(!WritesJson<Hidden> && !ReadsJson<Hidden> && !WritesYaml<Hidden>);
static_assert(!WritesJson<Secret<std::string>> && !WritesJson<std::vector<Hidden>>);

template <class T = Point>
std::string json_error(std::string_view text) {
  auto const r = from_json<T>(text);
  return r ? "read" : r.error().what;
}
template <class T = Point>
std::string yaml_error(std::string_view text) {
  auto const r = from_yaml<T>(text);
  return r ? "read" : r.error().what;
}
bool has(std::string const& text, std::string_view part) {
  return text.find(part) != text.npos;
}

RC_GTEST_PROP(Json, EveryKindComesBack, ()) {
  auto e = any_thing();
  auto const back = from_json<Everything>(to_json(e));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == e);
}
RC_GTEST_PROP(Json, WhatIsWrittenAtOnceIsWhatTheTreeSays, ()) {
  auto e = any_thing();
  RC_ASSERT(to_json(e) == json_text(to_tree(e)));
}
TEST(Json, TextsOfStrangersAreEscapedOrReplaced) {
  for (std::string const& text :
       {std::string("\"\\/\b\n\x01\x7f"), std::string("\0", 1), std::string("gr\xc3\xbc\xc3\x9f"),
        std::string("broken \xff\xc3"), std::string("\xed\xa0\x80"), std::string("\xe2\x80\xa8")})
    EXPECT_EQ(to_json(text), json_text(Tree::of_text(text)));
  for (double const x : {0.0, -0.0, 5.0, 0.1, 1e-7, 1e300, 1.0 / 3, 1e15, 123456789012345680.0})
    EXPECT_EQ(to_json(x), json_text(to_tree(x)));
}
RC_GTEST_PROP(Yaml, EveryKindComesBack, ()) {
  auto e = any_thing();
  auto const back = from_yaml<Everything>(to_yaml(e));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == e);
}

RC_GTEST_PROP(Json, NoTextCrashesTheReader, (std::string const& text)) {
  RC_ASSERT(!from_json<Everything>(text).has_value());
}
RC_GTEST_PROP(Yaml, NoTextCrashesTheReader, (std::string const& text)) {
  RC_ASSERT(!from_yaml<Everything>(text).has_value());
}

TEST(Json, WideIntegersAreTexts) {
  Everything e;
  e.large = INT64_MIN, e.huge = UINT64_MAX, e.medium = 5;
  auto const json = to_json(e);
  EXPECT_TRUE(has(json, R"("large":"-9223372036854775808")")) << json;
  EXPECT_TRUE(has(json, R"("huge":"18446744073709551615")")) << json;
  EXPECT_TRUE(has(json, R"("medium":5)")) << json;
  EXPECT_EQ(*from_json<Everything>(json), e);
}

TEST(Json, IntegersAreStrict) {
  EXPECT_TRUE(from_json<Point>(R"({"x":1,"y":2})"));
  for (auto const* bad : {"1.0", "1e3", "2147483648", "-2147483649", "true", "null", "[]", "\"\""})
    EXPECT_TRUE(has(json_error(std::string(R"({"x":)") + bad + R"(,"y":2})"), "x: expected"))
        << bad;
}

TEST(Json, ProblemsAreNamed) {
  EXPECT_EQ(json_error(R"({"x":1})"), "y: this field is required");
  EXPECT_EQ(json_error(R"({"x":1,"y":2,"yy":3})"), "yy: unknown field, did you mean 'y'?");
  EXPECT_EQ(json_error(R"({"x":1,"x":1,"y":2})"), "the JSON field 'x' stands twice");
  EXPECT_EQ(json_error(R"({"":1,"x":1,"":2})"), "the JSON field '' stands twice");
  EXPECT_EQ(json_error("[]"), "expected a map");
  EXPECT_TRUE(has(json_error("{"), "not valid JSON"));
  EXPECT_TRUE(has(json_error(R"({"x":1,"y":2} x)"), "not valid JSON"));
  EXPECT_TRUE(has(json_error("{\"x\xff\":1}"), "not valid JSON"));
  EXPECT_TRUE(has(json_error(std::string(1'000, '[') + std::string(1'000, ']')), "too deeply"));
  EXPECT_TRUE(has(json_error(std::string(5u << 20, ' ')), "larger than 4 MiB"));
}

TEST(Json, DeepPathsAreNamed) {
  Everything e;
  e.points = {{1, 2}, {3, 4}};
  auto json = to_json(e);
  json.replace(json.find(R"({"x":3)"), 6, R"({"x":"z")");
  EXPECT_TRUE(has(json_error<Everything>(json), "points[1].x: expected a whole number")) << json;
}

TEST(Json, EnumsByNameWithTheNearest) {
  Everything e;
  auto json = to_json(e);
  EXPECT_TRUE(has(json, R"("colour":"red")"));
  json.replace(json.find("\"red\""), 5, "\"gren\"");
  EXPECT_EQ(json_error<Everything>(json),
            "colour: 'gren' is not one of red, green, did you mean 'green'?");
}

TEST(Json, BytesAreBase64) {
  for (auto const& [plain, coded] : std::map<std::string, std::string>{// RFC 4648 section 10
                                                                       {"", ""},
                                                                       {"f", "Zg=="},
                                                                       {"fo", "Zm8="},
                                                                       {"foo", "Zm9v"},
                                                                       {"foob", "Zm9vYg=="},
                                                                       {"fooba", "Zm9vYmE="},
                                                                       {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64(plain), coded);
    EXPECT_EQ(unbase64(coded), plain);
  }
  for (auto const* bad : {"Z", "Zg=", "Zh==", "Zm9=", "=m9v", "Zm9v Zm9", "Zg==Zg==", "Zm-v"})
    EXPECT_FALSE(unbase64(bad)) << bad;
}

TEST(Json, OnlyFiniteNumbers) {
  for (auto const* bad : {"nan", "inf", "-inf", "infinity", "1e999", "", "1,5", "0x10"})
    EXPECT_FALSE(parse_real(bad)) << bad;
  EXPECT_EQ(parse_real("1e3"), 1000.0);
}

TEST(Yaml, LinesAndNearestNames) {
  EXPECT_EQ(yaml_error("x: 1\nz: 2\n"), "line 2: z: unknown field");
  EXPECT_EQ(yaml_error<Older>("name: a\n\ncuont: 2\n"),
            "line 3: cuont: unknown field, did you mean 'count'?");
  EXPECT_EQ(yaml_error("x: 1\ny: two\n"),
            "line 2: y: expected a whole number from -2147483648 to 2147483647, got 'two'");
  EXPECT_EQ(yaml_error<Older>("name: a\ncount: 101\n"), "line 2: count: must be from 0 to 100");
  EXPECT_EQ(yaml_error("x: 1\n"), "line 1: y: this field is required");
}

TEST(Yaml, AKeyTwiceIsRefused) {
  EXPECT_EQ(yaml_error("x: 1\ny: 2\nx: 3\n"), "line 3: x: this field stands here twice");
}

TEST(Yaml, AnchorsAliasesAndTagsAreRefused) {
  EXPECT_TRUE(has(yaml_error("x: &a 1\ny: *a\n"), "line 1: anchors"));
  EXPECT_TRUE(has(yaml_error("x: &a [1]\ny: 1\n"), "line 1: anchors"));
  EXPECT_TRUE(has(yaml_error("x: &a {b: 1}\ny: 1\n"), "line 1: anchors"));
  EXPECT_TRUE(has(yaml_error("x: !!int 1\ny: 1\n"), "line 1: tags"));
  EXPECT_TRUE(has(yaml_error("x: !thing [1]\ny: 1\n"), "line 1: tags"));
  EXPECT_NE(yaml_error("y: *a\n"), "read");
}

TEST(Yaml, QuotedScalarsAreTextPlainOnesWhatTheFieldWants) {
  auto const text = from_yaml<Older>("name: 123\ncount: 5\n");
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(text->name, "123");
  EXPECT_EQ(from_yaml<Older>("name: 'true'\ncount: 5\n")->name, "true");
  EXPECT_EQ(from_yaml<Older>("name: 1e3\ncount: 5\n")->name, "1e3");
  Everything e;
  auto const yaml = [&e](std::string const& flag) {
    auto t = to_yaml(e);
    return t.replace(t.find("flag: false"), 11, "flag: " + flag);
  };
  EXPECT_TRUE(from_yaml<Everything>(yaml("true"))->flag);
  EXPECT_TRUE(has(yaml_error<Everything>(yaml("'true'")), "flag: expected true or false"));
  EXPECT_TRUE(has(yaml_error<Everything>(yaml("yes")), "flag: expected true or false"));
}

TEST(Yaml, BrokenAndHugeTexts) {
  EXPECT_TRUE(has(yaml_error("x: [1\n"), "line "));
  EXPECT_TRUE(has(yaml_error("a: b: c\n"), "line 1"));
  EXPECT_EQ(yaml_error(""), "the YAML text is empty");
  EXPECT_TRUE(has(yaml_error("x: 1\ny: 2\n---\nx: 1\n"), "more than one YAML document"));
  EXPECT_NE(yaml_error(std::string(100'000, '[')), "read");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += std::string(i, ' ') + "a:\n";
  EXPECT_TRUE(has(yaml_error(deep), "nested too deeply")) << yaml_error(deep);
  EXPECT_TRUE(has(yaml_error(std::string(2u << 20, ' ')), "larger than 1 MiB"));
  EXPECT_TRUE(has(yaml_error("x:\ny: 2\n"), "line 1: x: expected one value"));
}

TEST(Yaml, ASpecMayLeaveOptionalFieldsOut) {
  EXPECT_EQ(from_yaml<Newer>("name: a\ncount: 1\n")->between, 7);
}

}  // namespace
}  // namespace lepton::codec
