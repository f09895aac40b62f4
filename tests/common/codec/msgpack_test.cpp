#include <cmath>
#include <limits>

#include "common/base/text.hpp"
#include "schemas/platform.hpp"
#include "schemas/values.hpp"
#include "tests/common/codec/types.hpp"

namespace lepton::codec {
namespace {

// Msgpack written by hand: a map of small ids to what `value` writes.
template <class F>
std::string map_of(std::vector<std::uint64_t> const& ids, F value) {
  std::string out;
  Writer w(out);
  w.map(ids.size());
  for (auto const id : ids) {
    w.put_unsigned(id);
    value(w, id);
  }
  return out;
}
std::string numbers(std::vector<std::uint64_t> const& ids) {
  return map_of(ids, [](Writer& w, std::uint64_t id) { w.put_unsigned(id); });
}
template <class T>
std::string why_not(std::string_view bytes) {
  auto const r = decode<T>(bytes);
  return r ? "decoded" : r.error().what;
}

RC_GTEST_PROP(Msgpack, EveryKindComesBack, ()) {
  auto const e = any_thing();
  auto const back = decode<Everything>(encode(e));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == e);
}

TEST(Msgpack, ExtremesComeBack) {
  Everything e;
  e.tiny = -128, e.small = 65535, e.medium = INT32_MIN, e.count = UINT32_MAX;
  e.large = INT64_MIN, e.huge = UINT64_MAX, e.real = -0.0;
  e.maybe = INT64_MAX;
  e.bytes.data = std::string("\0\xff", 2);
  EXPECT_EQ(*decode<Everything>(encode(e)), e);
  e.real = std::numeric_limits<double>::infinity();
  EXPECT_EQ(decode<Everything>(encode(e))->real, e.real);
}

RC_GTEST_PROP(Msgpack, NoBytesCrashTheReader, (std::string const& bytes)) {
  auto const r = decode<Everything>(bytes);
  RC_ASSERT(!r.has_value());
}

RC_GTEST_PROP(Msgpack, NoDamageCrashesTheReader, ()) {
  auto bytes = encode(any_thing());
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i)
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  if (*rc::gen::arbitrary<bool>()) bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
  auto const r = decode<Everything>(bytes);
  if (r) RC_ASSERT(decode<Everything>(encode(*r)).has_value());
}

TEST(Msgpack, UnknownIdsAreSkipped) {
  Newer newer;
  newer.name = "n", newer.count = 4;
  auto const older = decode<Older>(encode(newer));
  ASSERT_TRUE(older) << older.error().what;
  EXPECT_EQ(older->name, "n");
  EXPECT_EQ(older->count, 4);
}

TEST(Msgpack, FieldsOfLaterVersionsKeepTheirDefault) {
  auto const newer = decode<Newer>(encode(Older{"n", 4}));
  ASSERT_TRUE(newer) << newer.error().what;
  EXPECT_EQ(newer->between, 7);
  EXPECT_EQ(newer->remark, "none");
  EXPECT_EQ(newer->count, 4);
}

TEST(Msgpack, AMissingRequiredFieldIsNamed) {
  EXPECT_EQ(why_not<Point>(numbers({1})), "field y: expected a value");
  EXPECT_EQ(why_not<Point>(numbers({2})), "field x: expected a value");
  EXPECT_EQ(why_not<Point>(numbers({})), "field x: expected a value");
}

TEST(Msgpack, TheWholePathIsNamed) {
  Everything e;
  e.points = {{1, 2}, {3, 4}};
  auto bytes = encode(e);
  auto const at = bytes.rfind(encode(Point{3, 4}));
  bytes.replace(at, encode(Point{3, 4}).size(), map_of({1, 2}, [](Writer& w, auto) { w.nil(); }));
  EXPECT_EQ(why_not<Everything>(bytes), "field points.1.x: expected an integer");
}

TEST(Msgpack, RepeatedAndFallingIdsAreRefused) {
  EXPECT_NE(why_not<Point>(numbers({1, 1, 2})).find("rising order"), std::string::npos);
  EXPECT_NE(why_not<Point>(numbers({2, 1})).find("rising order"), std::string::npos);
  EXPECT_NE(why_not<Point>(numbers({1, 2, 7, 7})).find("rising order"), std::string::npos)
      << "also of ids that nobody knows";
}

TEST(Msgpack, KeysMustBeIds) {
  std::string out;
  Writer w(out);
  w.map(1);
  w.put(std::string_view("x"));
  w.put_unsigned(1);
  EXPECT_NE(why_not<Point>(out).find("field id"), std::string::npos);
}

template <class T>
std::string first_field(T value) {
  return map_of({1, 2}, [&](Writer& w, std::uint64_t) { w.write(value); });
}

TEST(Msgpack, OutOfRangeAndWrongTypesAreRefused) {
  EXPECT_EQ(why_not<Point>(first_field(std::int64_t{1} << 31)),
            "field x: expected a smaller integer");
  EXPECT_EQ(why_not<Point>(first_field(std::uint64_t{1} << 63)), "field x: expected an integer");
  EXPECT_EQ(why_not<Point>(first_field(1.5)), "field x: expected an integer");
  EXPECT_EQ(why_not<Point>(first_field(true)), "field x: expected an integer");
  EXPECT_EQ(why_not<Point>(first_field(std::string("1"))), "field x: expected an integer");
  EXPECT_EQ(why_not<Point>(encode(std::int64_t{5})), "field : expected a map");
  Everything e;
  auto negative = encode(e);
  EXPECT_TRUE(decode<Everything>(negative));
}

TEST(Msgpack, BoundsAreChecked) {
  EXPECT_TRUE(decode<Older>(encode(Older{"n", 100})));
  EXPECT_EQ(why_not<Older>(encode(Older{"n", 101})),
            "field count: expected a value within its bounds");
  EXPECT_EQ(why_not<Older>(encode(Older{"n", -1})),
            "field count: expected a value within its bounds");
}

struct Share {
  double part = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "part", &Share::part, "A part.").bounds(0, 1));
  }
};
TEST(Msgpack, NotANumberIsOutsideAllBounds) {
  EXPECT_TRUE(decode<Share>(encode(Share{0.5})));
  EXPECT_FALSE(decode<Share>(encode(Share{std::nan("")})));
  EXPECT_FALSE(decode<Share>(encode(Share{std::numeric_limits<double>::infinity()})));
}

TEST(Msgpack, UnknownEnumeratorDecodesToUnknown) {
  Everything e;
  e.colour = static_cast<Colour>(99);
  EXPECT_EQ(decode<Everything>(encode(e))->colour, Colour::unknown);
}

TEST(Msgpack, TrailingAndMissingBytesAreRefused) {
  auto const bytes = encode(Point{1, 2});
  EXPECT_EQ(why_not<Point>(bytes + '\0'), "message has trailing bytes");
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode<Point>(bytes.substr(0, n))) << n;
}

TEST(Msgpack, DepthSizeAndCountsAreBounded) {
  EXPECT_FALSE(Document::parse(std::string(17, '\x91') + '\x01'));
  EXPECT_TRUE(Document::parse(std::string(10, '\x91') + '\x01'));
  EXPECT_FALSE(Document::parse(std::string(100'000, '\x91')));
  EXPECT_FALSE(Document::parse(std::string("\xdd\xff\xff\xff\xff", 5))) << "array of 2^32 - 1";
  EXPECT_FALSE(Document::parse(std::string("\xdf\xff\xff\xff\xff", 5))) << "map of 2^32 - 1";
  EXPECT_FALSE(Document::parse(std::string("\xdb\xff\xff\xff\xff", 5))) << "text of 2^32 - 1";
  EXPECT_FALSE(Document::parse(std::string("\xc6\xff\xff\xff\xff", 5))) << "bytes of 2^32 - 1";
  Limits small;
  small.bytes_max = 3;
  EXPECT_FALSE(Document::parse(std::string("\x93\x01\x02\x03"), small));
  small = {};
  small.elements_max = 2;
  EXPECT_FALSE(Document::parse(std::string("\x93\x01\x02\x03"), small));
}

TEST(Msgpack, AMapKeyTwiceIsRefused) {
  Everything e;
  e.map = {{"a", 1}, {"b", 2}};
  auto bytes = encode(e);
  bytes[bytes.rfind("\xa1"
                    "b") +
        1] = 'a';
  EXPECT_EQ(why_not<Everything>(bytes), "field map: expected each key once");
}

struct Hidden {
  Secret<std::string> secret;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "secret", &Hidden::secret, "The secret."));
  }
};
struct Deep {
  std::vector<Hidden> list;
  std::map<std::string, std::optional<Hidden>> map;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "list", &Deep::list, "Secrets."),
                          schema::field(2, "map", &Deep::map, "More."));
  }
};
static_assert(holds_secret<Hidden>() && holds_secret<Deep>() && !holds_secret<Everything>());

TEST(Msgpack, SecretsTravelOnTheWire) {
  EXPECT_EQ(decode<Hidden>(encode(Hidden{Secret<std::string>("s")}))->secret.reveal(), "s");
}

// Once sent, these octets must be understood for ever; a change here breaks running installations.
TEST(Msgpack, GoldenBytes) {
  Header header;
  header.kind = Kind::request;
  header.topic = "deployer.job.submit";
  header.id = "0192";
  header.deadline_ms = 5'000;
  EXPECT_EQ(text::hex(encode(header)),
            "88010102010"
            "3b36465706c6f7965722e6a6f622e7375626d69"
            "74"
            "04a430313932"
            "05cd1388"
            "0601"
            "07a0"
            "08a0");
  auto const old = text::unhex(
      "85010102010"
      "3a56a2e7375620"
      "4a430313932"
      "0501");
  ASSERT_TRUE(old);
  auto const decoded = decode<Header>(*old);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->attempt, 1u) << "a sender of the first version leaves the attempt out";
  EXPECT_EQ(decoded->topic, "j.sub");
}

RC_GTEST_PROP(Msgpack, ValuesOfTheSuiteComeBack, ()) {
  ResourceRequest r;
  r.cpu_milli = *rc::gen::inRange<std::int64_t>(0, 10'000'000);
  r.gpus = *rc::gen::inRange<std::uint32_t>(0, 1024);
  r.gpu_models = {printable()};
  RC_ASSERT(*decode<ResourceRequest>(encode(r)) == r);
}

}  // namespace
}  // namespace lepton::codec
