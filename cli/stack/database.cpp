// `lepton stack database`: PostgreSQL in a container, with tables and logins as `lepton up` makes
// them. Its end is ours: what runs the container starts it again.

#include <fmt/format.h>

#include "cli/stack/stack_commands.hpp"
#include "cli/stack/stack_folder.hpp"
#include "cli/up/database.hpp"
#include "cli/up/signals.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;

Result<int> run_database(Shell& shell, std::string const& folder) {
  auto const layout = find_stack(folder);
  if (!layout) return layout.error();
  Signals signals;
  std::error_code ignored;
  auto const mark = prepared_mark(*layout);
  fs::remove(mark, ignored);
  auto database = Database::open(*layout, "");
  if (!database) return database.error();
  auto const applied = database->prepare(*layout);
  if (!applied) return applied.error();
  if (auto written = write_private_file(mark, "tables and logins are ready\n"); !written)
    return written.error();
  shell.say(fmt::format("PostgreSQL: ready ({} migrations applied)", applied->size()));
  while (!signals.wait(500))
    if (auto const status = database->exited())
      return Error{Code::internal, fmt::format("PostgreSQL ended with status {}: {}", *status,
                                               database->log_tail())};
  fs::remove(mark, ignored);
  if (auto stopped = database->stop(); !stopped) return stopped.error();
  shell.say("PostgreSQL: stopped");
  return 0;
}

}  // namespace lepton::cli
