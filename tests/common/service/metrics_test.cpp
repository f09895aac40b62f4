// The page of a service: its grammar under our strict parser and under Debian's promtool, and that
// it is served over HTTP on loopback only.

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/metrics/exposition.hpp"
#include "common/service/metrics_page.hpp"
#include "common/service/metrics_server.hpp"
#include "tests/common/harness/harness.hpp"
#include "tests/common/metrics/page_parser.hpp"

namespace lepton::service {
namespace {

class Metrics : public test::Harness {
 protected:
  MetricsPage page;
  std::string fill() {
    page.take(*system);
    page.take_bus({{"requests_in", 7}, {"resends", 0}});
    page.take_process();
    return page.render();
  }
  void SetUp() override { boot(); }
};

TEST_F(Metrics, ThePageKeepsEveryRule) {
  auto const parsed = metrics::testing::parse_page(fill());
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.value("lepton_actor_ready", {{"actor", "desk"}}), 1);
  EXPECT_EQ(parsed.value("lepton_bus_messages_total", {{"what", "requests_in"}}), 7);
  EXPECT_GT(parsed.value("lepton_process_resident_memory_bytes"), 1e6);
  EXPECT_GT(parsed.value("lepton_process_open_files"), 2);
  auto const version = system->host("desk").health().version;
  EXPECT_EQ(parsed.value("lepton_build_info", {{"actor", "desk"}, {"version", version}}), 1);
}

TEST_F(Metrics, TotalsFollowAndNeverFall) {
  (void)fill();
  page.take_bus({{"requests_in", 12}});
  page.take_bus({{"requests_in", 3}});
  auto const parsed = metrics::testing::parse_page(page.render());
  EXPECT_EQ(parsed.value("lepton_bus_messages_total", {{"what", "requests_in"}}), 12);
}

TEST_F(Metrics, PromtoolHasNothingToSay) {
  if (std::system("command -v promtool > promtool.where 2>&1") != 0) {
    std::filesystem::remove("promtool.where");
    GTEST_SKIP() << "promtool is not installed; it is in Debian's package prometheus";
  }
  std::filesystem::remove("promtool.where");
  auto const folder = std::filesystem::temp_directory_path();
  auto const stem = (folder / ("lepton_page." + std::to_string(getpid()))).string();
  std::ofstream(stem) << fill();
  auto const status =
      std::system(("promtool check metrics < " + stem + " > " + stem + ".said 2>&1").c_str());
  std::ifstream said(stem + ".said");
  std::string const text{std::istreambuf_iterator<char>(said), {}};
  std::filesystem::remove(stem);
  std::filesystem::remove(stem + ".said");
  EXPECT_EQ(status, 0) << text;
  EXPECT_EQ(text, "");
}

struct Fetched {
  long status = 0;
  std::string type, body;
};

Fetched fetch(std::string const& url, bool post = false) {
  Fetched out;
  auto* const curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 5L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (post) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "a body that is too long");
  auto const take = +[](char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
  };
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
  curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
  char* type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  out.type = type != nullptr ? type : "";
  curl_easy_cleanup(curl);
  return out;
}

TEST_F(Metrics, ThePageIsServed) {
  auto server = MetricsServer::open("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error().what;
  auto const url = "http://127.0.0.1:" + std::to_string((*server)->port());
  (*server)->publish(fill());
  auto const got = fetch(url + "/metrics");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.type, metrics::content_type);
  EXPECT_EQ(metrics::testing::parse_page(got.body).problem, "");
  (*server)->publish("# newer\n");
  EXPECT_EQ(fetch(url + "/metrics").body, "# newer\n");
  EXPECT_EQ(fetch(url + "/").status, 404);
  EXPECT_GE(fetch(url + "/metrics", true).status, 400);
}

TEST_F(Metrics, OnlyAnAddressInsideAndAFreePortWillDo) {
  for (auto const* bad : {"0.0.0.0:7199", "7199", "127.0.0.1", "127.0.0.1:99999", "[::]:1", "",
                          "8.8.8.8:7199", "172.32.0.1:7199", "127.evil.example:7199"}) {
    auto const server = MetricsServer::open(bad);
    ASSERT_FALSE(server) << bad;
    EXPECT_EQ(server.error().code, Code::invalid) << bad;
  }
  // Legal, but not of this machine.
  for (auto const* elsewhere : {"10.255.255.1:7199", "172.31.255.1:7199", "192.168.255.1:7199"}) {
    auto const server = MetricsServer::open(elsewhere);
    ASSERT_FALSE(server) << elsewhere;
    EXPECT_EQ(server.error().code, Code::conflict) << elsewhere;
  }
  auto const first = MetricsServer::open("127.0.0.1:0");
  ASSERT_TRUE(first);
  auto const taken = "127.0.0.1:" + std::to_string((*first)->port());
  auto const second = MetricsServer::open(taken);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().what.find("in use"), std::string::npos);
}

}  // namespace
}  // namespace lepton::service
