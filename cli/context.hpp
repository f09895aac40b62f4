#pragma once
// The client context: where the services are, by which keys they are known, and who the caller is.
// `lepton up` writes the file; each command reads it. The folder that holds it is the client
// folder: keys, token and what `audit verify` trusts lie there too, all with mode 0600. One thread.

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/schema/schema.hpp"

namespace lepton::cli {

struct ClientContext {
  std::string deployer_endpoint;
  std::string deployer_key;
  std::string vault_endpoint;
  std::string vault_key;
  std::string auditor_endpoint;
  std::string auditor_key;
  std::string scaler_endpoint;
  std::string scaler_key;
  std::string monitor_endpoint;
  std::string monitor_key;
  std::string keys_file;
  std::string token_file;
  std::string root_key_file;
  std::string audit_reader_url_file;

  bool operator==(ClientContext const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using C = ClientContext;
    return schema::fields(
        field(1, "deployer_endpoint", &C::deployer_endpoint, "Its client door, tcp://HOST:PORT."),
        field(2, "deployer_key", &C::deployer_key, "CURVE key of the deployer, Z85."),
        field(3, "vault_endpoint", &C::vault_endpoint, "Its client door, tcp://HOST:PORT."),
        field(4, "vault_key", &C::vault_key, "CURVE key of the vault, Z85."),
        field(5, "auditor_endpoint", &C::auditor_endpoint, "Its client door, tcp://HOST:PORT."),
        field(6, "auditor_key", &C::auditor_key, "CURVE key of the auditor, Z85."),
        field(7, "keys_file", &C::keys_file,
              "CURVE key pair of the caller; a relative path is beside the context file."),
        field(8, "token_file", &C::token_file,
              "Token of the caller, mode 0600; a relative path is beside the context file."),
        field(9, "root_key_file", &C::root_key_file,
              "Root key of an embedded vault; empty: it is typed.")
            .optional(),
        field(10, "audit_reader_url_file", &C::audit_reader_url_file,
              "PostgreSQL URL of the read-only role of the audit views; empty: none.")
            .optional(),
        field(11, "scaler_endpoint", &C::scaler_endpoint,
              "Its client door, tcp://HOST:PORT; empty: of a version without a scaler.")
            .optional(),
        field(12, "scaler_key", &C::scaler_key, "CURVE key of the scaler, Z85.").optional(),
        field(13, "monitor_endpoint", &C::monitor_endpoint,
              "Its client door, tcp://HOST:PORT; empty: of a version without a monitor.")
            .optional(),
        field(14, "monitor_key", &C::monitor_key, "CURVE key of the monitor, Z85.").optional());
  }
};
static_assert(schema::complete<ClientContext>());

// $LEPTON_CONTEXT, else $LEPTON_STATE/client.yaml, else for root /var/lib/lepton/client.yaml, else
// $XDG_CONFIG_HOME/lepton/client.yaml, else ~/.config/lepton/client.yaml.
std::string default_context_path();

// unavailable: there is no such file (nothing is set up here). Paths in it come back absolute.
Result<ClientContext> read_context(std::string const& path);
// Whole or not at all, mode 0600; makes its folder with mode 0700.
Status write_context(std::string const& path, ClientContext const& context);

// A small private file (at most 1 MiB). not_found: it is not there.
Result<std::string> read_private_file(std::string const& path);
// Replaces it, whole or not at all, mode 0600, and makes its folder.
Status write_private_file(std::string const& path, std::string const& content);

// Folder of a path; "." without one.
std::string folder_of(std::string const& path);

}  // namespace lepton::cli
