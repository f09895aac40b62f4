#include "common/actor/mailbox.hpp"

#include <gtest/gtest.h>

#include "common/actor/intensity.hpp"

namespace lepton::actor {
namespace {

Mail mail(std::string body) {
  Request request;
  request.body = std::move(body);
  return {std::move(request), 0};
}
Mail continuation() {
  return {Continue([](Context&) {}), 0};
}
std::string body(std::optional<Mail> const& m) {
  return std::get<Request>(m->content).body;
}

TEST(Mailbox, ControlLaneFirstThenFirstInFirstOut) {
  Mailbox box({});
  EXPECT_TRUE(box.push(Lane::normal, mail("a")));
  EXPECT_TRUE(box.push(Lane::normal, mail("b")));
  EXPECT_TRUE(box.push(Lane::control, continuation()));
  EXPECT_TRUE(std::holds_alternative<Continue>(box.pop()->content));
  EXPECT_FALSE(box.pop(Lane::control)) << "only control was wanted";
  EXPECT_EQ(body(box.pop()), "a");
  EXPECT_EQ(body(box.pop()), "b");
  EXPECT_FALSE(box.pop());
}

TEST(Mailbox, BoundedByMessagesPerLane) {
  Mailbox box({.messages_max = 2, .bytes_max = 1'000'000});
  EXPECT_TRUE(box.push(Lane::normal, mail("a")));
  EXPECT_TRUE(box.push(Lane::normal, mail("b")));
  auto third = mail("c");
  EXPECT_FALSE(box.push(Lane::normal, std::move(third)));
  EXPECT_EQ(std::get<Request>(third.content).body, "c") << "untouched, so that it can be refused";
  EXPECT_TRUE(box.push(Lane::control, continuation())) << "a flood does not fill the other lane";
}

TEST(Mailbox, BoundedByBytesAndTheyComeBack) {
  Mailbox box({.messages_max = 100, .bytes_max = 2'000});
  EXPECT_TRUE(box.push(Lane::normal, mail(std::string(1'000, 'x'))));
  EXPECT_FALSE(box.push(Lane::normal, mail(std::string(1'000, 'y'))));
  box.pop();
  EXPECT_TRUE(box.push(Lane::normal, mail(std::string(1'000, 'y'))));
}

TEST(Mailbox, PutBackGoesToTheHead) {
  Mailbox box({.messages_max = 1, .bytes_max = 2'000});
  box.push(Lane::normal, mail("a"));
  box.put_back(Lane::normal, mail("b"));
  EXPECT_EQ(body(box.pop()), "b");
}

TEST(Mailbox, ContinuationsAreDroppedRequestsStay) {
  Mailbox box({.messages_max = 10, .bytes_max = 700});
  box.push(Lane::control, continuation());
  box.push(Lane::normal, mail("a"));
  box.push(Lane::normal, mail("b"));
  box.drop_continuations();
  EXPECT_EQ(box.size(), 2u);
  EXPECT_FALSE(box.push(Lane::normal, mail("c"))) << "the bytes of those that stay still count";
  EXPECT_TRUE(box.push(Lane::control, continuation()));
}

TEST(Intensity, MoreThanAllowedWithinThePeriod) {
  Intensity intensity(2, 1'000);
  EXPECT_TRUE(intensity.allow(0));
  EXPECT_TRUE(intensity.allow(500));
  EXPECT_FALSE(intensity.allow(999));
  Intensity slow(2, 1'000);
  for (TimeMs t = 0; t < 10'000; t += 500) EXPECT_TRUE(slow.allow(t)) << t;
}

}  // namespace
}  // namespace lepton::actor
