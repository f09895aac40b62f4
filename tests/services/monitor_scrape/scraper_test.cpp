// The scraper against a real HTTP server on loopback.

#include "services/monitor/scrape/scraper.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace lepton::monitor {
namespace {

class ScraperTest : public ::testing::Test {
 protected:
  httplib::Server server;
  std::thread thread;
  int port = 0;
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;

  void SetUp() override {
    server.Get("/metrics", [](auto const& request, auto& response) {
      EXPECT_EQ(request.get_header_value("Accept"), "text/plain;version=0.0.4");
      response.set_content("up 1\n", "text/plain; version=0.0.4");
    });
    server.Get("/busy", [](auto const&, auto& response) { response.status = 503; });
    server.Get("/moved", [](auto const&, auto& response) { response.set_redirect("/metrics"); });
    server.Get("/long", [](auto const&, auto& response) {
      response.set_content(std::string(Scraper::page_max + 1, 'x'), "text/plain");
    });
    server.Get("/slow", [this](auto const&, auto&) {
      std::unique_lock lock(mutex);
      ended.wait(lock, [this] { return over; });
    });
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }
  void TearDown() override {
    {
      std::lock_guard const lock(mutex);
      over = true;
    }
    ended.notify_all();
    server.stop();
    thread.join();
  }
  Result<std::string> get(std::string const& path, std::int64_t limit_ms = 5'000) {
    CurlScraper scraper;
    return scraper.get("http://127.0.0.1:" + std::to_string(port) + path, limit_ms);
  }
};

TEST_F(ScraperTest, ReadsAPage) {
  auto const page = get("/metrics");
  ASSERT_TRUE(page) << page.error().what;
  EXPECT_EQ(*page, "up 1\n");
}

TEST_F(ScraperTest, SaysWhyThereIsNone) {
  EXPECT_EQ(get("/busy").error().what, "the exporter answered with HTTP status 503");
  EXPECT_EQ(get("/moved").error().what, "the exporter answered with HTTP status 302")
      << "it may not send us elsewhere";
  EXPECT_EQ(get("/long").error().code, Code::exhausted);
  EXPECT_EQ(get("/slow", 100).error().code, Code::timeout);
  server.stop();
  EXPECT_EQ(get("/metrics").error().code, Code::unavailable);
}

TEST_F(ScraperTest, KnowsHttpAlone) {
  CurlScraper scraper;
  for (auto const* url : {"file:///etc/hostname", "https://127.0.0.1:1/", "ftp://127.0.0.1/"})
    EXPECT_EQ(scraper.get(url, 1'000).error().code, Code::unavailable) << url;
}

}  // namespace
}  // namespace lepton::monitor
