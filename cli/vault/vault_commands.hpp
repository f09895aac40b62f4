#pragma once
// vault, secret, token and policy commands: the requests of schemas/vault.hpp and vault_access.hpp
// for people. Secret values come from standard input, a hidden prompt or a file, never from
// arguments. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands vault_commands();
Commands secret_commands();
Commands token_commands();
Commands policy_commands();

}  // namespace lepton::cli
