#pragma once
// The folder of a control plane whose parts run in a container each. It has the same path inside
// the containers, and each of them sees its own folders of it only (docs/compose.md). One account,
// never root, owns it and runs everything but the node. One thread. Errors as in cli/up/layout.hpp;
// conflict: the folder belongs to a `lepton up`.

#include <sys/types.h>

#include "cli/up/plan.hpp"

namespace lepton::cli {

inline constexpr uid_t stack_uid = 71'000;  // where root prepares a folder and no account is named

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Absolute, without links: Docker mounts it by this path.
Result<Layout> find_stack(std::string const& folder);

// Who runs it: the owner of the folder; when root makes it, `stack_uid`; never root.
Result<Account> account_of(Layout const& layout);

Status make_stack_folders(Layout const& layout);
// Gives what root has made to the account; what containers fill by themselves keeps its owners.
Status hand_over(Layout const& layout, Account const& account);

// What the parts know of each other, without any secret.
struct PublicKeys {
  std::map<std::string, std::string> keys;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "keys", &PublicKeys::keys,
                                "CURVE key, Z85, of each service, of admin and of node."));
  }
};
static_assert(schema::complete<PublicKeys>());

// The plan of a prepared stack, as a container sees it. not_found: it was not prepared.
Result<StackPlan> plan_inside(Layout const& layout);

// Made by the database's container when tables and logins are ready.
std::filesystem::path prepared_mark(Layout const& layout);

}  // namespace lepton::cli
