#include "services/node/runner/users.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <vector>

namespace lepton::node {
namespace {

constexpr std::size_t buffer_bytes = 64 << 10;

std::optional<User> to_user(passwd const* entry) {
  if (entry == nullptr) return std::nullopt;
  return User{entry->pw_name, entry->pw_uid, entry->pw_gid, entry->pw_dir};
}

Result<std::string> choose_as_self(std::string const& wanted, uid_t node_uid) {
  auto const self = find_user(node_uid);
  auto const name = self ? self->name : "";
  if (wanted.empty() || wanted == name) return name;
  return Error{
      Code::denied,
      fmt::format("the node runs as {} and cannot start a task as {}; leave out `user`, or "
                  "run the node as root",
                  name.empty() ? std::to_string(node_uid) : name, wanted)};
}

}  // namespace

std::optional<User> find_user(std::string const& name) {
  std::vector<char> buffer(buffer_bytes);
  passwd entry{}, *found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return to_user(found);
}

std::optional<User> find_user(uid_t uid) {
  std::vector<char> buffer(buffer_bytes);
  passwd entry{}, *found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return to_user(found);
}

Result<std::string> choose_user(std::string const& wanted, UserRule const& rule, uid_t node_uid) {
  if (node_uid != 0) return choose_as_self(wanted, node_uid);
  auto name = wanted.empty() ? rule.node_default : wanted;
  if (name.empty()) name = find_user("lepton-task") ? "lepton-task" : "nobody";
  auto const user = find_user(name);
  if (!user)
    return Error{Code::invalid, fmt::format("this machine has no user {}; create it, or name "
                                            "another one in the spec's `user`",
                                            name)};
  if (user->uid == 0 && !rule.allow_root)
    return Error{Code::denied, "tasks may not run as root on this node; name another `user`"};
  return name;
}

}  // namespace lepton::node
