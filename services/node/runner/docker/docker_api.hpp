#pragma once
// DockerApi: Docker Engine's HTTP interface (version 1.41, Docker 20.10 or newer) over its Unix
// socket. One call, one connection; blocking, bounded by the given time; any thread. Errors:
// unavailable (no answer), not_found, conflict, invalid (the engine refuses what was asked).

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::node {

class DockerApi {
 public:
  explicit DockerApi(std::string socket) : socket_(std::move(socket)) {}

  // The answer's body: its last 4 MiB where the engine streams progress. `path` has its query.
  Result<std::string> get(std::string const& path, std::int64_t limit_ms = usual_ms) const {
    return call("GET", path, "", limit_ms);
  }
  Result<std::string> post(std::string const& path, std::string const& json = "",
                           std::int64_t limit_ms = usual_ms) const {
    return call("POST", path, json, limit_ms);
  }
  // `registry_auth`: as in registry_auth.hpp; empty: none.
  Result<std::string> pull(std::string const& query, Secret<> const& registry_auth,
                           std::int64_t limit_ms) const {
    return call("POST", "/images/create?" + query, "", limit_ms, registry_auth);
  }
  Result<std::string> remove(std::string const& path) const {
    return call("DELETE", path, "", usual_ms);
  }

  // The engine's version, such as 20.10.24.
  Result<std::string> version() const;

  static constexpr std::int64_t usual_ms = 60'000;

 private:
  Result<std::string> call(char const* method, std::string const& path, std::string const& json,
                           std::int64_t limit_ms, Secret<> const& registry_auth = {}) const;

  std::string socket_;
};

}  // namespace lepton::node
