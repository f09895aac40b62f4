// The command line of `lepton`: one argument per line. The commands are the real ones, but none of
// them runs.

#include "cli/audit/audit_commands.hpp"
#include "cli/jobs/decision_commands.hpp"
#include "cli/jobs/job_commands.hpp"
#include "cli/monitor/monitor_commands.hpp"
#include "cli/nodes/mark_commands.hpp"
#include "cli/nodes/node_commands.hpp"
#include "cli/nodes/quota_commands.hpp"
#include "cli/parser.hpp"
#include "cli/replay/replay_commands.hpp"
#include "cli/services/service_commands.hpp"
#include "cli/stack/stack_commands.hpp"
#include "cli/up/up_commands.hpp"
#include "cli/vault/vault_commands.hpp"
#include "common/base/check.hpp"
#include "common/base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  cli::Commands all;
  for (auto const& some :
       {cli::up_commands(), cli::job_commands(), cli::decision_commands(), cli::node_commands(),
        cli::mark_commands(), cli::quota_commands(), cli::vault_commands(), cli::audit_commands(),
        cli::replay_commands(), cli::service_commands(), cli::serving_commands(),
        cli::monitor_commands(), cli::stack_commands()})
    all.insert(all.end(), some.begin(), some.end());
  auto const owners = all;  // what a command does owns the targets of its options
  for (auto& command : all) command.run = [](cli::Shell&) -> Result<int> { return 0; };
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  cli::Shell shell;
  shell.out = shell.err = nowhere;
  auto const words = text::split(std::string_view(reinterpret_cast<char const*>(data), size), '\n');
  std::vector<std::string> kept{"lepton"};
  for (auto const& word : words) kept.push_back(std::string(word).substr(0, word.find('\0')));
  std::vector<char const*> argv;
  for (auto const& word : kept) argv.push_back(word.c_str());
  auto const status = cli::run_command_line(all, shell, static_cast<int>(argv.size()), argv.data());
  LEPTON_CHECK(status >= 0 && status <= 255, "an exit status that no shell can tell");
  return 0;
}
