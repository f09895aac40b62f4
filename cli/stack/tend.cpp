// `lepton stack tend`: the administrator of a stack whose services run in containers.

#include <algorithm>

#include "cli/stack/stack_commands.hpp"
#include "cli/stack/stack_folder.hpp"
#include "cli/up/signals.hpp"
#include "cli/up/steward.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

constexpr TimeMs turn_ms = 500;
constexpr TimeMs answer_ms = 500;

// Each step is harmless when it was done before, so a broken-off start is begun again.
Status open_up(Steward& steward, StackPlan const& plan) {
  for (auto const& service : service_names())
    if (!steward.is_ready(service, answer_ms))
      return Error{Code::unavailable, "waits for the " + service};
  if (auto opened = steward.open_up(); !opened) return opened;
  auto const token = renew_node_token(plan, SystemClock().wall_ms());
  return token ? ok() : Status(token.error());
}

}  // namespace

Result<int> tend_stack(Shell& shell, std::string const& folder) {
  auto const layout = find_stack(folder);
  if (!layout) return layout.error();
  auto const plan = plan_inside(*layout);
  if (!plan) return plan.error();
  Signals signals;
  SystemClock const clock;
  auto const say = [&shell, &clock](std::string const& line) {
    shell.say(text::utc(clock.wall_ms()) + " " + line);
  };
  Steward steward(*plan, say);
  std::string said;
  bool open = false;
  while (!signals.wait(turn_ms)) {
    if (open) {
      steward.step(clock.now_ms());
      continue;
    }
    auto const opened = open_up(steward, *plan);
    open = opened.has_value();
    if (auto const now = open ? "the stack is open" : opened.error().what; now != said) {
      said = now;
      say(now);
    }
  }
  say("stopped");
  return 0;
}

}  // namespace lepton::cli
