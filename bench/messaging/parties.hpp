#pragma once
// Who speaks on our side: the keys of both processes, the access rules, the token of the client.
// What is measured here is no secret, so both processes derive the same keys.

#include <memory>
#include <string>

#include "bench/messaging/side.hpp"
#include "common/bus/bus.hpp"
#include "common/bus/client.hpp"
#include "schemas/access.hpp"

namespace lepton::bench {

// Ends the process with a sentence.
void require(bool good, std::string const& what);

bus::KeyPair server_keys();
bus::KeyPair client_keys();

// What `anna`, the client, may do: run everything below job/anna.
AccessSnapshot access_rules();
inline constexpr char const* item_resource = "job/anna/train";

std::unique_ptr<bus::Bus> open_bus(bus::BusSettings settings);

// The server's doors: the client door at the shared endpoint.
bus::BusSettings server_settings(Load const& load, Shared const& shared);

// Waits for the server, and carries a token of the vault.
bus::Client connect_client(Load const& load, Shared& shared);

}  // namespace lepton::bench
