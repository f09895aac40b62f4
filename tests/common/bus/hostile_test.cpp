// What a client with a good key and bad manners can send.

#include <gtest/gtest.h>

#include "schemas/refusal.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

struct Field2 {
  std::uint32_t version = 2;
  std::string id = "from-the-future";
  std::string later = "unknown here";
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "version", &Field2::version, "Version."),
                          field(4, "id", &Field2::id, "Id."),
                          field(99, "later", &Field2::later, "Something new."));
  }
};

struct Extended {
  std::uint32_t version = 1;
  Kind kind = Kind::request;
  std::string topic = "test.echo";
  std::string id = "extended";
  std::int64_t deadline_ms = 1000;
  std::string extra = "of a newer minor version";
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "version", &Extended::version, "Version."),
                          field(2, "kind", &Extended::kind, "Kind."),
                          field(3, "topic", &Extended::topic, "Topic."),
                          field(4, "id", &Extended::id, "Id."),
                          field(5, "deadline_ms", &Extended::deadline_ms, "Left, ms."),
                          field(77, "extra", &Extended::extra, "Something new."));
  }
};

class Hostile : public testing::Test {
 protected:
  Hostile() {
    auto s = rig::settings("server", server);
    s.client_endpoint = endpoint;
    s.limits.body_bytes_max = 10'000;
    node = rig::open(s);
    node->seen.echo = node->bus.get();
    raw = std::make_unique<rig::Raw>(endpoint, server.public_key, &keys);
  }

  // The message is counted under this name, hands over nothing, and the door still serves.
  void expect_counted(std::vector<std::string> const& frames, std::string const& counter) {
    auto const before = node->count(counter);
    auto const served = node->seen.requests.size();
    ASSERT_TRUE(raw->send(frames));
    ASSERT_TRUE(rig::until({node.get()}, [&] { return node->count(counter) > before; })) << counter;
    EXPECT_EQ(node->seen.requests.size(), served);
    ASSERT_TRUE(raw->send({rig::packed(codec::encode(rig::request_header("after")), "alive")}));
    ASSERT_TRUE(rig::until({node.get()}, [&] { return node->seen.requests.size() > served; }));
  }
  // The next refusal that comes.
  std::pair<Header, Refusal> refusal() {
    while (true) {
      auto const frames = raw->receive(5000);
      if (frames.size() != 1) return {};
      auto const size = static_cast<unsigned char>(frames[0][3]);  // these headers are short
      auto header = *codec::decode<Header>(frames[0].substr(4, size));
      if (header.kind == Kind::refusal)
        return {header, *codec::decode<Refusal>(frames[0].substr(4 + size))};
    }
  }

  KeyPair server = rig::keys(), keys = rig::keys();
  std::string endpoint = rig::free_tcp();
  std::unique_ptr<rig::Node> node;
  std::unique_ptr<rig::Raw> raw;
};

TEST_F(Hostile, FrameCountMustBeOne) {
  auto const good = rig::packed(codec::encode(rig::request_header("x")), "body");
  expect_counted({good, "more"}, "refused_frame_count");
  expect_counted({codec::encode(rig::request_header("x")), "body", "more"}, "refused_frame_count");
  expect_counted(std::vector<std::string>(500, "a"), "refused_frame_count");
}

TEST_F(Hostile, SizeOfTheHeaderMustFitTheFrame) {
  for (auto const& frame :
       {std::string(), std::string("\0\0\0", 3), std::string("\xff\xff\xff\xff", 4),
        std::string("\0\0\0\5abcd", 8), std::string("\x80\0\0\1a", 5)})
    expect_counted({frame}, "refused_header_size");
}

// Headers that say four thousand million of something, or as many as could be had, or that nest
// without end.
std::vector<std::string> bombs() {
  std::vector<std::string> out{std::string(4'000, '\x91'), std::string(4'000, '\x81')};
  for (char const* const kind : {"\xdd", "\xdf", "\xdb", "\xc6"})  // array, map, text, octets
    for (std::string const size : {"\xff\xff\xff\xff", "\1\1\1\1"}) {
      out.push_back(kind + size);
      out.push_back("\x81\x02" + (kind + size));  // as a field of the header
      out.push_back("\x81\x63" + (kind + size));  // as one that nobody knows
    }
  return out;
}

TEST_F(Hostile, MessagePackBombsCostNothing) {
  auto all = bombs();
  for (auto const& other :
       {std::string(), std::string("\xc1"), codec::encode(rig::request_header("x")) + "trailing"})
    all.push_back(other);
  for (auto const& bomb : all) expect_counted({rig::packed(bomb, "")}, "refused_header");
  expect_counted({rig::packed(std::string(5000, '\x91'), "")}, "refused_header_size");
}

// What is refused hands nothing over; yet the next message waits for no wake-up.
TEST(HostileFlood, RefusedMessagesAreReadWithoutPausesBetween) {
  auto const server = rig::keys(), keys = rig::keys();
  auto settings = rig::settings("server", server);
  settings.client_endpoint = rig::free_tcp();
  settings.limits.batch_max = 1;
  auto const node = rig::open(settings);
  rig::Raw raw(settings.client_endpoint, server.public_key, &keys);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(raw.send({rig::packed("\xc1", "")}));
  ASSERT_TRUE(raw.send({rig::packed(codec::encode(rig::request_header("good")), "")}));
  EXPECT_EQ(node->bus->poll(node->seen, 20'000), 1) << node->count("refused_header");
  EXPECT_EQ(node->count("refused_header"), 200);
}

TEST_F(Hostile, RandomHeadersCostNothing) {
  Chance chance(7);
  auto const good = codec::encode(rig::request_header("fuzz"));
  auto const served = node->seen.requests.size();
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i) {
    auto bad = good;
    for (auto n = chance.below(4) + 1; n > 0; --n)
      bad[chance.below(bad.size())] = char(chance.below(256));
    if (chance.happens(0.3)) bad.resize(chance.below(bad.size()));
    ASSERT_TRUE(raw->send({rig::packed(bad, "")}));
    if (i % 50 == 0) node->bus->poll(node->seen, 0);
  }
  ASSERT_TRUE(raw->send({rig::packed(codec::encode(rig::request_header("last")), "")}));
  ASSERT_TRUE(rig::until({node.get()}, [&] {
    return !node->seen.requests.empty() && node->seen.requests.back().header.id == "last";
  }));
  std::int64_t counted = 0;
  for (auto const* const name :
       {"refused_header", "refused_version", "refused_kind", "refused_header_size"})
    counted += node->count(name);
  EXPECT_EQ(counted + std::int64_t(node->seen.requests.size() - served), rounds + 1);
}

TEST_F(Hostile, OtherVersionIsRefusedByName) {
  expect_counted({rig::packed(codec::encode(Field2{}), "")}, "refused_version");
  auto const [header, answer] = refusal();
  EXPECT_EQ(header.id, "from-the-future");
  EXPECT_EQ(answer.code, Code::invalid);
  EXPECT_NE(answer.what.find("version 1"), std::string::npos);
}

TEST_F(Hostile, UnknownFieldsOfANewerMinorVersionAreSkipped) {
  ASSERT_TRUE(raw->send({rig::packed(codec::encode(Extended{}), "body")}));
  ASSERT_TRUE(rig::until({node.get()}, [&] { return node->seen.requests.size() == 1; }));
  EXPECT_EQ(node->seen.requests.front().header.id, "extended");
}

TEST_F(Hostile, LargeBodyIsRefusedByName) {
  expect_counted(
      {rig::packed(codec::encode(rig::request_header("large")), std::string(10'001, 'x'))},
      "refused_body_size");
  auto const [header, answer] = refusal();
  EXPECT_EQ(header.id, "large");
  EXPECT_EQ(answer.code, Code::invalid);
  EXPECT_NE(answer.what.find("10000"), std::string::npos);
}

TEST_F(Hostile, OnlyRequestsAreTakenAtADoor) {
  for (auto const kind : {Kind::reply, Kind::refusal, Kind::hint, Kind::unknown}) {
    auto header = rig::request_header("wrong");
    header.kind = kind;
    expect_counted({rig::packed(codec::encode(header), "")}, "refused_kind");
  }
  expect_counted({rig::packed(codec::encode(rig::request_header("t", "Bad Topic\n")), "")},
                 "refused_kind");
  expect_counted({rig::packed(codec::encode(rig::request_header("t", std::string(200, 'a'))), "")},
                 "refused_kind");
  expect_counted({rig::packed(codec::encode(rig::request_header("", "test.echo")), "")},
                 "refused_header");
  expect_counted({rig::packed(codec::encode(rig::request_header(std::string(65, 'i'))), "")},
                 "refused_header");
}

TEST_F(Hostile, AnswerAboveTheLimitBecomesARefusal) {
  node->seen.echo = nullptr;
  ASSERT_TRUE(raw->send({rig::packed(codec::encode(rig::request_header("q")), "")}));
  ASSERT_TRUE(rig::until({node.get()}, [&] { return node->seen.requests.size() == 1; }));
  node->answer(node->seen.requests.front(), std::string(10'001, 'x'));
  auto const [header, answer] = refusal();
  EXPECT_EQ(header.id, "q");
  EXPECT_EQ(answer.code, Code::exhausted);
  EXPECT_EQ(node->count("dropped_too_large"), 1);
}

// In a process of its own, so that its memory is its own.
TEST(HostileMemory, HugeFrameIsCutOffBeforeItIsStored) {
  rig::Served served;
  ASSERT_TRUE(served.child->serves);
  auto const& child = *served.child;
  std::string const huge(64u << 20, 'x');
  auto const message = rig::packed(codec::encode(rig::request_header("huge")), huge);
  for (int i = 0; i < 3; ++i) {
    rig::Raw raw(served.endpoint, served.server.public_key, &served.keys);
    ASSERT_TRUE(raw.send({message}));
    EXPECT_TRUE(raw.receive(300).empty());
  }
  EXPECT_TRUE(served.answers());
  ASSERT_GT(child.peak_memory_kib(), 0);
  EXPECT_LT(child.peak_memory_kib(), 48 * 1024);
}

TEST(HostileMemory, MessagePackBombsCostNoMemory) {
  rig::Served served;
  ASSERT_TRUE(served.child->serves);
  auto const& child = *served.child;
  rig::Raw raw(served.endpoint, served.server.public_key, &served.keys);
  auto const answered = [&](std::string const& id) {
    return raw.send({rig::packed(codec::encode(rig::request_header(id)), "")}) &&
           raw.receive(15'000).size() == 1;
  };
  ASSERT_TRUE(answered("before")) << "a first request needs memory of its own";
  auto const before_kib = child.peak_memory_kib(), asked_kib = child.memory_kib("VmPeak:");
  for (int round = 0; round < 50; ++round)
    for (auto const& bomb : bombs()) ASSERT_TRUE(raw.send({rig::packed(bomb, "")}));
  EXPECT_TRUE(answered("after")) << "all of them have been read";
  if (!rig::memory_can_be_judged) return;
  EXPECT_LT(child.peak_memory_kib() - before_kib, 8 * 1024);
  EXPECT_LT(child.memory_kib("VmPeak:") - asked_kib, 200 * 1024) << "asked for, if not touched";
}

}  // namespace
}  // namespace lepton::bus
