#include "tests/cli_up/place.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/up/access.hpp"
#include "cli/up/settings.hpp"
#include "common/postgres/process.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;

Place::Place() {
  // In memory where there is room: a busy disk makes every start wait seconds for its flushes.
  std::error_code error;
  auto const memory = fs::space("/dev/shm", error);
  bool const roomy = !error && memory.available >= std::uintmax_t{2} << 30;
  std::string name = roomy ? "/dev/shm/lepton-up-XXXXXX" : "/tmp/lepton-up-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  chmod(name.c_str(), 0711);
  root_ = name;
}

Place::~Place() {
  std::error_code error;
  fs::remove_all(root_, error);
}

Layout Place::layout(std::string const& name) const {
  auto const state = root_ / name;
  return {state, state / "run", (state / "client.yaml").string()};
}

Outcome run_lepton(Layout const& layout, std::vector<std::string> arguments) {
  auto const program = find_program("lepton");
  if (!program) return {-1, program.error().what};
  auto const output = postgres::memory_file("", std::nullopt).value();
  postgres::Command command;
  command.program = *program;
  command.arguments = std::move(arguments);
  command.environment = {"PATH=/usr/bin:/bin", "HOME=" + layout.state.parent_path().string(),
                         "LEPTON_STATE=" + layout.state.string(),
                         "LEPTON_SQL=" + fs::absolute("schemas/sql").string()};
  command.output = output.get();
  auto child = postgres::spawn(command);
  if (!child) return {-1, child.error().what};
  auto const status = child->wait(180'000);
  if (!status) {
    child->signal(SIGTERM);
    if (!child->wait(60'000)) child->signal(SIGKILL);
    child->wait(-1);
  }
  return {status.value_or(-2), postgres::read_tail(output.get())};
}

std::int64_t free_port_base() {
  StackSettings settings;
  for (settings.port_base = 21'000 + getpid() % 600 * 16; settings.port_base < 40'000;
       settings.port_base += ports_in_all + settings.entrances)
    if (check_ports(settings) && check_entrances(settings)) return settings.port_base;
  ADD_FAILURE() << "no free ports in a row";
  return 0;
}

StackPlan plan_of(Layout const& layout) {
  StackPlan plan{layout, {}, {}};
  auto const settings = read_settings(layout);
  if (!settings || !*settings) return ADD_FAILURE() << "it has not been up", plan;
  plan.settings = **settings;
  auto names = service_names();
  names.insert(names.end(), {"admin", "node"});
  for (auto const& name : names) {
    auto const keys = bus::read_keys(layout.keys(name));
    if (!keys) return ADD_FAILURE() << keys.error().what, plan;
    plan.public_keys[name] = keys->public_key;
  }
  return plan;
}

bool becomes_ready(StackPlan const& plan, std::string const& service, TimeMs limit_ms) {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + limit_ms;
  auto client = connect_to(plan, service, false);
  if (!client) return ADD_FAILURE() << client.error().what, false;
  while (clock.now_ms() < deadline) {
    auto const health = client->call(HealthGet{service}, 500);
    if (health && health->ready) return true;
    if (health) client->pump(50);
  }
  return false;
}

}  // namespace lepton::cli
