// What other programs say: HAProxy, exporters, Docker, the kernel, the runner's own files; and the
// files of people that are neither specs nor arguments. None may end the process, whatever it
// holds.

#include "cli/workdir/ignore.hpp"
#include "common/base/check.hpp"
#include "services/deployer/balancer/haproxy_page.hpp"
#include "services/monitor/core/exposition.hpp"
#include "services/node/core/cpu_list.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/docker/container_body.hpp"
#include "services/node/runner/docker/registry_auth.hpp"
#include "services/node/runner/run_spec.hpp"
#include "services/node/telemetry/proc.hpp"

namespace lepton {
namespace {

void of_haproxy(std::string_view text) {
  (void)deployer::parse_haproxy_holds(text);
  auto const page = deployer::parse_haproxy_page(text);
  if (!page) return;
  for (auto const& backend : *page) {
    (void)deployer::haproxy_commands(backend, {{"r1", "127.0.0.1:1"}});
    (void)deployer::haproxy_hold_command(backend, 5, "/map");
  }
}

// A fuzzer that reads this program's constants may write a part of what errors say anyhow.
bool is_our_sentence(std::string const& text) {
  for (auto const* wrong : {"neither", "{}", "{\"auths\": {}}", "{\"auths\": {\"ghcr.io\": {}}}"}) {
    auto const auth = node::registry_auth(Secret<>(std::string(wrong)), "ghcr.io/a/b:1");
    if (!auth && auth.error().what.find(text) != std::string::npos) return true;
  }
  return false;
}

void of_docker(std::string const& text) {
  if (auto const mib = node::memory_in_use_mib(text)) LEPTON_CHECK(*mib >= 0, "memory below 0");
  (void)node::exec_id(text);
  (void)node::exec_exit_code(text);
  (void)node::container_state(text);
  (void)node::find_own(text, {});
  (void)node::pulled(text);
  auto const auth = node::registry_auth(Secret<>(std::string(text)), "ghcr.io/a/b:1");
  if (!auth && text.size() > 20)
    LEPTON_CHECK(auth.error().what.find(text) == std::string::npos || is_our_sentence(text),
                 "an error shows credentials");
}

void of_the_machine(std::string_view text) {
  (void)node::parse_proc_stat(text);
  (void)node::parse_meminfo(text);
  (void)node::parse_loadavg(text);
  (void)node::parse_diskstats(text);
  (void)node::parse_net_dev(text);
  if (auto const cpus = node::parse_cpu_list(text))
    LEPTON_CHECK(*node::parse_cpu_list(node::cpu_list_of(*cpus)) == *cpus, "two lists of one set");
}

void of_the_runner(std::string_view text) {
  (void)node::decode_run_status(text);
  if (auto const spec = node::decode_run_spec(text))
    LEPTON_CHECK(node::decode_run_spec(node::encode(*spec)).has_value(),
                 "a spec is read once only");
}

void of_people(std::string_view text) {
  cli::IgnoreRules rules;
  if (!rules.add("lib", text)) return;
  for (auto const* path : {"lib/a.o", "lib/x/y/z", "lib/[a]", "other"})
    (void)rules.takes(path, text.size() % 2 == 0);
}

}  // namespace
}  // namespace lepton

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  of_haproxy(text);
  of_docker(std::string(text));
  of_the_machine(text);
  of_the_runner(text);
  of_people(text);
  if (auto const samples = monitor::parse_exposition(text))
    for (auto const& sample : *samples) LEPTON_CHECK(!sample.name.empty(), "a sample has no name");
  return 0;
}
