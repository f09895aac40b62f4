#include "services/node/runner/docker/docker_api.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <mutex>

#include "common/codec/json.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t kept_max = 4 << 20;  // a container's inspection has its command twice

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const {
    for (auto* line = list; line != nullptr; line = line->next)
      wipe(line->data, std::strlen(line->data));  // one may hold credentials
    curl_slist_free_all(list);
  }
};

// Keeps the end: of a stream of progress the last line says how it went.
std::size_t keep(char* data, std::size_t size, std::size_t count, void* kept) {
  auto& text = *static_cast<std::string*>(kept);
  text.append(data, size * count);
  if (text.size() > 2 * kept_max) text.erase(0, text.size() - kept_max);
  return size * count;
}

// The engine explains itself as {"message": "..."}.
std::string message_of(std::string const& body) {
  auto const tree = codec::parse_json(body);
  auto const* message = tree ? tree->find("message") : nullptr;
  return message ? message->scalar : body.substr(0, 300);
}

Code code_of(long status) {
  if (status == 404) return Code::not_found;
  if (status == 409) return Code::conflict;
  return status >= 500 ? Code::unavailable : Code::invalid;
}

}  // namespace

Result<std::string> DockerApi::call(char const* method, std::string const& path,
                                    std::string const& json, std::int64_t limit_ms,
                                    Secret<> const& registry_auth) const {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::unique_ptr<CURL, EndCurl> const curl(curl_easy_init());
  std::unique_ptr<curl_slist, EndCurl> const headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  if (!registry_auth.empty() && headers) {
    Secret<> const line("X-Registry-Auth: " + registry_auth.reveal());
    curl_slist_append(headers.get(), line.reveal().c_str());
  }
  if (!curl || !headers) return Error{Code::exhausted, "no memory for a request to Docker"};
  std::string body;
  auto* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(c, CURLOPT_URL, ("http://docker/v1.41" + path).c_str());
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  if (!json.empty()) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, json.c_str());
  }
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(limit_ms));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
  auto const done = curl_easy_perform(c);
  if (done != CURLE_OK)
    return Error{Code::unavailable,
                 fmt::format("Docker does not answer on {}: {}; is its service running?", socket_,
                             curl_easy_strerror(done))};
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 400) return body;
  return Error{code_of(status), "Docker: " + message_of(body)};
}

Result<std::string> DockerApi::version() const {
  auto const body = get("/version");
  if (!body) return body.error();
  auto const tree = codec::parse_json(*body);
  auto const* version = tree ? tree->find("Version") : nullptr;
  if (!version) return Error{Code::unavailable, "Docker does not tell its version"};
  return version->scalar;
}

}  // namespace lepton::node
