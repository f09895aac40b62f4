#include "cli/all/all_commands.hpp"

#include "cli/audit/audit_commands.hpp"
#include "cli/jobs/decision_commands.hpp"
#include "cli/jobs/job_commands.hpp"
#include "cli/monitor/monitor_commands.hpp"
#include "cli/nodes/mark_commands.hpp"
#include "cli/nodes/node_commands.hpp"
#include "cli/nodes/power_commands.hpp"
#include "cli/nodes/quota_commands.hpp"
#include "cli/nodes/slice_commands.hpp"
#include "cli/replay/replay_commands.hpp"
#include "cli/services/service_commands.hpp"
#include "cli/stack/stack_commands.hpp"
#include "cli/up/up_commands.hpp"
#include "cli/vault/vault_commands.hpp"

namespace lepton::cli {
namespace {

Command version_command() {
  Command c{"version", "Prints the version of this program", "lepton version"};
  c.run = [](Shell& shell) -> Result<int> {
    shell.print("lepton " LEPTON_VERSION "\n");
    return 0;
  };
  return c;
}

}  // namespace

Commands all_commands() {
  Commands all;
  for (auto const& some :
       {up_commands(), job_commands(), decision_commands(), node_commands(), mark_commands(),
        quota_commands(), slice_commands(), power_commands(), vault_commands(), audit_commands(),
        replay_commands(), service_commands(), serving_commands(), monitor_commands(),
        stack_commands()})
    all.insert(all.end(), some.begin(), some.end());
  all.push_back(version_command());
  return all;
}

}  // namespace lepton::cli
