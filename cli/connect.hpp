#pragma once
// Requests to the services, with the keys and the token of the context. One thread.

#include <string_view>

#include "cli/shell.hpp"
#include "common/base/passing.hpp"
#include "common/bus/client.hpp"

namespace lepton::cli {

enum class Service : std::uint8_t { deployer, vault, auditor, scaler, monitor };
inline constexpr Service all_services[] = {Service::deployer, Service::vault, Service::auditor,
                                           Service::scaler, Service::monitor};
std::string_view name_of(Service service);

// The token is that of $LEPTON_TOKEN, else of the token file; without either only open requests are
// served.
Result<bus::Client> connect(Shell const& shell, Service service, int window = 16);

// One request on a connection of its own.
template <class M>
Result<typename M::Reply> ask(Shell const& shell, Service service, M const& message) {
  auto client = connect(shell, service);
  if (!client) return client.error();
  return client->call(message, shell.timeout_ms());
}

}  // namespace lepton::cli
