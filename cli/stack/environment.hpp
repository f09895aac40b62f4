#pragma once
// What compose/compose.yaml and the containers need to know of a plan, as files: the variables of
// compose.env, the settings of Prometheus, and the account in the form of /etc/passwd. Pure.

#include "cli/stack/stack_folder.hpp"

namespace lepton::cli {

// NAME=value lines; no secret. Addresses and ports of every part, so that compose.yaml has none.
std::string compose_environment(StackPlan const& plan, Account const& account,
                                std::string const& version);
std::string prometheus_settings(StackPlan const& plan);
std::string passwd_text(Account const& account);
std::string group_text(Account const& account);

}  // namespace lepton::cli
