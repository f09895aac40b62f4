#pragma once
// Whom a task runs as. Reads the machine's user database; blocking.

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace lepton::node {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

std::optional<User> find_user(std::string const& name);
std::optional<User> find_user(uid_t uid);

struct UserRule {
  std::string node_default;  // empty: lepton-task where it exists, else nobody
  bool allow_root = false;
};

// The spec's user, or the node's default; when the node does not run as root, who runs the node.
// `denied` names the rule that forbids it, `invalid` a user that this machine does not have. The
// name is empty for a node whose own uid has no name.
Result<std::string> choose_user(std::string const& wanted, UserRule const& rule, uid_t node_uid);

}  // namespace lepton::node
