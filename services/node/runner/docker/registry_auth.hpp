#pragma once
// What opens a registry, from the forms in which people have it: USER:PASSWORD, or the config.json
// that `docker login` writes (auths, by registry). Pure. Errors never hold a part of it.

#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::node {

// The registry that an image's name leads to, as config.json has it:
// "ghcr.io", "127.0.0.1:5000", "https://index.docker.io/v1/".
std::string registry_of(std::string const& image);

// The value of the engine's header X-Registry-Auth (Docker Engine API 1.41, "Authentication").
Result<Secret<>> registry_auth(Secret<> const& credentials, std::string const& image);

}  // namespace lepton::node
