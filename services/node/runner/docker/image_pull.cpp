#include "services/node/runner/docker/image_pull.hpp"

#include <fmt/format.h>

#include "common/codec/json.hpp"
#include "services/node/runner/docker/container_body.hpp"
#include "services/node/runner/docker/registry_auth.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t pull_limit_ms = 3'600'000;

}  // namespace

Result<std::string> ImagePull::identity_of(std::string const& image) const {
  auto const body = docker_.get("/images/" + image + "/json");
  if (!body) return body.error();
  auto const tree = codec::parse_json(*body);
  auto const* id = tree ? tree->find("Id") : nullptr;
  if (id == nullptr || id->scalar.empty())
    return Error{Code::unavailable, "Docker does not tell the identity of the image " + image};
  return id->scalar;
}

Result<std::string> ImagePull::have(std::string const& image, Secret<> const& credentials) {
  auto const here = identity_of(image);
  if (!here && here.error().code != Code::not_found) return here.error();
  auto const known = here && access_.may_use(*here, credentials);
  if (known && (!access_.is_in_doubt(image) || access_.is_noted(*here))) return *here;
  auto const fetched = fetch(image, credentials);
  if (fetched) return fetched;
  return Error{fetched.error().code,
               fmt::format("the image {} could not be pulled: {}{}", image, fetched.error().what,
                           credentials.empty() ? "; a private one needs image_credentials" : "")};
}

Result<std::string> ImagePull::fetch(std::string const& image, Secret<> const& credentials) {
  if (!credentials.empty())
    if (auto begun = access_.begin_pull(image); !begun) return begun.error();
  if (auto done = pull(image, credentials); !done) {
    if (!credentials.empty()) access_.end_pull(image);  // nothing came
    return done.error();
  }
  auto const fetched = identity_of(image);
  if (!fetched) return fetched;
  if (credentials.empty()) {
    access_.note_open(*fetched);
    access_.end_pull(image);  // the repository is open
    return fetched;
  }
  if (auto noted = access_.note(*fetched, credentials); !noted) return noted.error();
  access_.end_pull(image);
  return fetched;
}

Status ImagePull::pull(std::string const& image, Secret<> const& credentials) const {
  auto const auth =
      credentials.empty() ? Result<Secret<>>(Secret<>()) : registry_auth(credentials, image);
  if (!auth) return auth.error();
  (void)write_all(1, "pulling the image " + image + "\n", "the log");
  auto const progress = docker_.pull(pull_query(image), *auth, pull_limit_ms);
  return progress ? pulled(*progress) : Status(progress.error());
}

}  // namespace lepton::node
