// Whole frames as version 0.2 put them on the wire, one of each kind: size of the header, header,
// body; and a hint. They are read for ever, so that a service understands one that is older; what
// stands here is never changed.

#include <gtest/gtest.h>

#include "common/base/text.hpp"
#include "common/bus/frames.hpp"
#include "common/codec/msgpack.hpp"
#include "schemas/deployer.hpp"
#include "schemas/refusal.hpp"

namespace lepton::bus {
namespace {

constexpr char request[] =
    "00000044880101020103b36465706c6f7965722e6a6f622e63616e63656c04b030313233343536373839616263"
    "64656605cd03e8060207a7612d747261636508a7612d746f6b656e8201a36a6f6202a6726561736f6e";
constexpr char reply[] =
    "00000044880101020203b36465706c6f7965722e6a6f622e63616e63656c04b030313233343536373839616263"
    "64656605cd03e8060207a7612d747261636508a7612d746f6b656e8201a36a6f620208";
constexpr char refusal[] =
    "00000044880101020303b36465706c6f7965722e6a6f622e63616e63656c04b030313233343536373839616263"
    "64656605cd03e8060207a7612d747261636508a7612d746f6b656e85010802a477686174032b04c3052d";
constexpr char hint[] = "6175646974008401a86465706c6f79657202a561756469740307042a";

Received read(std::string_view hex, Side side) {
  Received got;
  read_frame(*text::unhex(hex), side, {}, got);
  return got;
}

void expect_header(Received const& got, Kind kind) {
  ASSERT_EQ(got.fault, Fault::none) << explain(got.fault, {});
  EXPECT_EQ(got.header.version, 1u);
  EXPECT_EQ(got.header.kind, kind);
  EXPECT_EQ(got.header.topic, "deployer.job.cancel");
  EXPECT_EQ(got.header.id, "0123456789abcdef");
  EXPECT_EQ(got.header.deadline_ms, 1000);
  EXPECT_EQ(got.header.attempt, 2u);
  EXPECT_EQ(got.header.trace, "a-trace");
  EXPECT_EQ(got.header.token, "a-token");
}

TEST(RecordedFrames, Request) {
  auto const got = read(request, Side::server);
  expect_header(got, Kind::request);
  auto const body = codec::decode<JobCancel>(got.body);
  ASSERT_TRUE(body) << body.error().what;
  EXPECT_EQ(body->job.value, "job");
  EXPECT_EQ(body->reason, "reason");
}

TEST(RecordedFrames, Reply) {
  auto const got = read(reply, Side::client);
  expect_header(got, Kind::reply);
  auto const body = codec::decode<JobCancelled>(got.body);
  ASSERT_TRUE(body) << body.error().what;
  EXPECT_EQ(body->job.value, "job");
  EXPECT_EQ(body->state, static_cast<JobState>(8));
}

TEST(RecordedFrames, Refusal) {
  auto const got = read(refusal, Side::client);
  expect_header(got, Kind::refusal);
  auto const body = codec::decode<Refusal>(got.body);
  ASSERT_TRUE(body) << body.error().what;
  EXPECT_EQ(body->code, static_cast<Code>(8));
  EXPECT_EQ(body->what, "what");
  EXPECT_EQ(body->retry_after_ms, 43);
  EXPECT_TRUE(body->token_wanted);
  EXPECT_EQ(body->attempt, 45u);
}

TEST(RecordedFrames, Hint) {
  Hint got;
  ASSERT_TRUE(read_hint(*text::unhex(hint), "deployer", {}, got));
  EXPECT_EQ(got.stream, "audit");
  EXPECT_EQ(got.epoch, 7);
  EXPECT_EQ(got.head, 42);
}

// Each cut of a frame is refused or is a frame with a shorter body, and the sides are not mixed up.
TEST(RecordedFrames, NothingElseIsTaken) {
  EXPECT_EQ(read(request, Side::client).fault, Fault::kind);
  EXPECT_EQ(read(reply, Side::server).fault, Fault::kind);
  auto const whole = *text::unhex(request);
  std::size_t const head = header_size_octets + 0x44;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Received got;
    read_frame(std::string_view(whole).substr(0, size), Side::server, {}, got);
    EXPECT_EQ(got.fault, size < head ? Fault::header_size : Fault::none) << size;
    EXPECT_EQ(got.body.size(), size < head ? 0 : size - head);
  }
  Hint other;
  EXPECT_FALSE(read_hint(*text::unhex(hint), "vault", {}, other));
}

}  // namespace
}  // namespace lepton::bus
