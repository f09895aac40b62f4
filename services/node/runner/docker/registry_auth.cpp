#include "services/node/runner/docker/registry_auth.hpp"

#include "common/codec/json.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::node {
namespace {

constexpr char const* docker_hub = "https://index.docker.io/v1/";

struct Login {
  std::string username;
  std::string password;
  std::string token;
  std::string registry;

  static consteval auto fields() {
    using schema::field;
    using L = Login;
    return schema::fields(
        field(1, "username", &L::username, "Name at the registry."),
        field(2, "password", &L::password, "Password, or a token in its place."),
        field(3, "identitytoken", &L::token, "Of registries that give one at login."),
        field(4, "serveraddress", &L::registry, "As in config.json."));
  }
};

Error unreadable(std::string const& what) {
  return {Code::invalid, "image_credentials: " + what +
                             "; the secret must be USER:PASSWORD or a config.json of docker login"};
}

Status split_login(std::string const& text, Login& login) {
  auto const colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size())
    return unreadable("there is no user and password in it");
  login.username = text.substr(0, colon);
  login.password = text.substr(colon + 1);
  return ok();
}

std::string word(codec::Tree const& tree, char const* name) {
  auto const* found = tree.find(name);
  return found == nullptr ? "" : found->scalar;
}

Status read_config(std::string const& text, Login& login) {
  auto const tree = codec::parse_json(text);
  auto const* auths = tree ? tree->find("auths") : nullptr;
  if (auths == nullptr) return unreadable("it begins as JSON, but holds no 'auths'");
  auto const* entry = auths->find(login.registry);
  if (entry == nullptr) return unreadable("it holds nothing for " + login.registry);
  login.token = word(*entry, "identitytoken");
  login.username = word(*entry, "username");
  login.password = word(*entry, "password");
  Secret<> const packed(crypto::from_base64(word(*entry, "auth")).value_or(""));
  if (!packed.empty()) return split_login(packed.reveal(), login);
  if (!login.token.empty() || !login.password.empty()) return ok();
  return unreadable("it leaves the password for " + login.registry + " to a helper program");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Base64 for addresses, filled up: Docker reads no other.
std::string padded_base64url(std::string const& bytes) {
  auto text = crypto::base64url(bytes);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace

std::string registry_of(std::string const& image) {
  auto const slash = image.find('/');
  auto const first = image.substr(0, slash == image.npos ? 0 : slash);
  auto const is_host = first.find_first_of(".:") != first.npos || first == "localhost";
  if (!is_host || first == "docker.io" || first == "index.docker.io") return docker_hub;
  return first;
}

Result<Secret<>> registry_auth(Secret<> const& credentials, std::string const& image) {
  std::string text(trimmed(credentials.reveal()));
  Login login;
  login.registry = registry_of(image);
  auto const good = text.starts_with('{') ? read_config(text, login) : split_login(text, login);
  wipe(text.data(), text.size());
  if (!good) return good.error();
  auto json = codec::to_json(login);
  Secret<> header(padded_base64url(json));
  wipe(json.data(), json.size());
  for (auto* word : {&login.password, &login.token}) wipe(word->data(), word->size());
  return header;
}

}  // namespace lepton::node
