#pragma once
// The policies that every vault starts with, and the rules on changing policies. Pure.

#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/access.hpp"

namespace lepton::vault {

inline constexpr std::size_t max_stored_policies = 1024;

// admin: everything. user: own jobs and secrets, and reading what nodes and pools there are.
std::vector<Policy> builtin_policies();

// A policy that may replace or join `stored`. `conflict` for admin, which nobody can change: else
// one slip locks everyone out.
Status check_put(std::map<std::string, Policy> const& stored, Policy const& policy);
Status check_remove(std::map<std::string, Policy> const& stored, std::string const& name);

}  // namespace lepton::vault
