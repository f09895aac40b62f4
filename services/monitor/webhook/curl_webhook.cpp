#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "services/monitor/webhook/webhook.hpp"

namespace lepton::monitor {
namespace {

constexpr long limit_ms = 5'000;
constexpr std::size_t answer_max = 64 << 10;

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Reads the answer and forgets it; too long an answer ends the call.
std::size_t forget(char*, std::size_t size, std::size_t count, void* seen) {
  auto& bytes = *static_cast<std::size_t*>(seen);
  bytes += size * count;
  return bytes > answer_max ? 0 : size * count;
}

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

Status check_webhook_url(std::string_view url) {
  auto const is_known = url.starts_with("http://") || url.starts_with("https://");
  auto const is_bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (is_known && url.size() <= 2'000 && std::none_of(url.begin(), url.end(), is_bad)) return ok();
  return Error{Code::invalid,
               "the URL of the webhook must begin with http:// or https:// and have no spaces; for "
               "Alertmanager write http://HOST:9093/api/v2/alerts"};
}

Status CurlWebhook::post(std::string const& json) {
  start_curl_once();
  std::unique_ptr<CURL, EndCurl> const curl(curl_easy_init());
  std::unique_ptr<curl_slist, EndCurl> const headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  if (!curl || !headers) return Error{Code::exhausted, "no memory for a request to the webhook"};
  std::size_t answered = 0;
  auto* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url_.reveal().c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, json.c_str());
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, limit_ms);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, forget);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &answered);
  auto const done = curl_easy_perform(c);
  if (done != CURLE_OK)
    return Error{Code::unavailable,
                 fmt::format("the webhook was not reached: {}", curl_easy_strerror(done))};
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return ok();
  return Error{Code::unavailable, fmt::format("the webhook answered with HTTP status {}", status)};
}

}  // namespace lepton::monitor
