// The webhook against a real HTTP server on loopback.

#include "services/monitor/webhook/webhook.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <mutex>
#include <thread>

namespace lepton::monitor {
namespace {

class WebhookTest : public ::testing::Test {
 protected:
  httplib::Server server;
  std::thread thread;
  int port = 0;
  std::mutex mutex;
  std::vector<std::string> bodies, types;

  void SetUp() override {
    server.Post("/api/v2/alerts", [this](auto const& request, auto&) {
      std::lock_guard const lock(mutex);
      bodies.push_back(request.body);
      types.push_back(request.get_header_value("Content-Type"));
    });
    server.Post("/busy", [](auto const&, auto& response) { response.status = 503; });
    server.Post("/moved", [](auto const&, auto& response) { response.set_redirect("/busy"); });
    server.Post("/long", [](auto const&, auto& response) {
      response.set_content(std::string(1 << 20, 'x'), "text/plain");
    });
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }
  void TearDown() override {
    server.stop();
    thread.join();
  }
  Status post(std::string const& path) {
    CurlWebhook hook(
        Secret<std::string>("http://127.0.0.1:" + std::to_string(port) + path + "?key=s3cret"));
    return hook.post("[{}]");
  }
};

TEST_F(WebhookTest, PostsJson) {
  auto const done = post("/api/v2/alerts");
  ASSERT_TRUE(done) << done.error().what;
  ASSERT_EQ(bodies.size(), 1u);
  EXPECT_EQ(bodies[0], "[{}]");
  EXPECT_EQ(types[0], "application/json");
}

TEST_F(WebhookTest, SaysWhyAndNeverWhere) {
  for (auto const* path : {"/busy", "/moved", "/nowhere", "/long"}) {
    auto const done = post(path);
    ASSERT_FALSE(done) << path;
    EXPECT_EQ(done.error().code, Code::unavailable);
    EXPECT_EQ(done.error().what.find("s3cret"), std::string::npos) << done.error().what;
  }
  EXPECT_EQ(post("/busy").error().what, "the webhook answered with HTTP status 503");
  server.stop();
  EXPECT_NE(post("/busy").error().what.find("not reached"), std::string::npos);
}

TEST(WebhookUrl, OnlyHttpWillDo) {
  for (auto const* good : {"http://127.0.0.1:9093/api/v2/alerts", "https://example.org/x?y=z"})
    EXPECT_TRUE(check_webhook_url(good)) << good;
  for (auto const* bad : {"", "file:///etc/passwd", "example.org", "http://a b", "http://a\n"})
    EXPECT_FALSE(check_webhook_url(bad)) << bad;
}

}  // namespace
}  // namespace lepton::monitor
