#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "services/monitor/scrape/scraper.hpp"

namespace lepton::monitor {
namespace {

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Too long a page ends the call.
std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  auto& page = *static_cast<std::string*>(to);
  if (page.size() + size * count > Scraper::page_max) return 0;
  page.append(data, size * count);
  return size * count;
}

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Error failure(CURLcode code, std::int64_t limit_ms) {
  if (code == CURLE_WRITE_ERROR)
    return {Code::exhausted, "the exporter's page is longer than 4 MiB; ask it for less"};
  if (code == CURLE_OPERATION_TIMEDOUT)
    return {Code::timeout, fmt::format("the exporter did not answer within {} ms", limit_ms)};
  return {Code::unavailable,
          fmt::format("the exporter was not reached: {}", curl_easy_strerror(code))};
}

}  // namespace

Result<std::string> CurlScraper::get(std::string const& url, std::int64_t limit_ms) {
  start_curl_once();
  std::unique_ptr<CURL, EndCurl> const curl(curl_easy_init());
  std::unique_ptr<curl_slist, EndCurl> const headers(
      curl_slist_append(nullptr, "Accept: text/plain;version=0.0.4"));
  if (!curl || !headers) return Error{Code::exhausted, "no memory for a request to an exporter"};
  std::string page;
  auto* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(limit_ms));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &page);
  if (auto const done = curl_easy_perform(c); done != CURLE_OK) return failure(done, limit_ms);
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return page;
  return Error{Code::unavailable, fmt::format("the exporter answered with HTTP status {}", status)};
}

}  // namespace lepton::monitor
