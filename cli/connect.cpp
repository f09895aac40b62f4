#include "cli/connect.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

Result<Secret<>> read_token(ClientContext const& context) {
  if (auto const* token = std::getenv("LEPTON_TOKEN"); token != nullptr && *token != '\0')
    return Secret<>(std::string(token));
  auto content = read_private_file(context.token_file);
  if (!content && content.error().code == Code::not_found) return Secret<>();
  if (!content) return content.error();
  Secret<> token{std::string(text::trim(*content))};
  wipe(content->data(), content->size());
  return token;
}

}  // namespace

std::string_view name_of(Service service) {
  switch (service) {
    case Service::deployer:
      return "deployer";
    case Service::vault:
      return "vault";
    case Service::auditor:
      return "auditor";
    case Service::scaler:
      return "scaler";
    case Service::monitor:
      return "monitor";
  }
  return "unknown";
}

Result<bus::Client> connect(Shell const& shell, Service service, int window) {
  auto const context = shell.context();
  if (!context) return context.error();
  auto keys = bus::read_keys(context->keys_file);
  if (!keys) return keys.error();
  auto token = read_token(*context);
  if (!token) return token.error();
  bus::ClientSettings settings;
  switch (service) {
    case Service::deployer:
      settings.endpoint = context->deployer_endpoint;
      settings.server_public_key = context->deployer_key;
      break;
    case Service::vault:
      settings.endpoint = context->vault_endpoint;
      settings.server_public_key = context->vault_key;
      break;
    case Service::auditor:
      settings.endpoint = context->auditor_endpoint;
      settings.server_public_key = context->auditor_key;
      break;
    case Service::scaler:
      settings.endpoint = context->scaler_endpoint;
      settings.server_public_key = context->scaler_key;
      break;
    case Service::monitor:
      settings.endpoint = context->monitor_endpoint;
      settings.server_public_key = context->monitor_key;
      break;
  }
  if (settings.endpoint.empty())
    return Error{Code::unavailable,
                 fmt::format("the context file names no {}; run `lepton up` again, which writes it",
                             name_of(service))};
  settings.keys = std::move(*keys);
  settings.token = std::move(*token);
  settings.window = window;
  return bus::Client::connect(std::move(settings));
}

}  // namespace lepton::cli
