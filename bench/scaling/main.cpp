// Two parts of scaling by themselves: decisions about 10,000 services in memory, and a real HAProxy
// of its own that is told of 200 changed servers. Prints one JSON object; what is unknown is
// absent.
//
// usage: bench_scaling_parts [--quick]

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "bench/autoscale/speed.hpp"
#include "common/postgres/process.hpp"
#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace {

using namespace lepton;
using deployer::BalancedServer;

constexpr char const* program = "/usr/sbin/haproxy";
constexpr std::uint32_t port = 21'999;
constexpr std::uint32_t servers = 200;

[[noreturn]] void fail(std::string const& why) {
  std::fprintf(stderr, "bench_scaling_parts: %s\n", why.c_str());
  std::exit(1);
}

double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// An HAProxy with one entrance in a folder of its own, ended with this object.
class Haproxy {
 public:
  Haproxy() {
    char name[] = "/tmp/lepton-bench-haproxy-XXXXXX";
    if (::mkdtemp(name) == nullptr) fail("no folder below /tmp");
    folder_ = name;
    deployer::HaproxyPlan const plan{(folder_ / "s").string(),       "127.0.0.1", port, 1, "",
                                     (folder_ / "hold.lua").string()};
    std::ofstream(folder_ / "haproxy.cfg") << deployer::haproxy_config(plan);
    std::ofstream(plan.hold_program) << deployer::haproxy_hold_program();
    std::ofstream(deployer::haproxy_hold_map(plan.socket)) << "";
    balancer_.emplace(deployer::HaproxySettings{plan.socket});
    postgres::Command command{program, {"-db", "-f", (folder_ / "haproxy.cfg").string()}};
    command.parent_death_signal = SIGKILL;
    auto child = postgres::spawn(command);
    if (!child) fail(child.error().what);
    child_.emplace(std::move(*child));
    for (int i = 0; i < 500 && !balancer_->reconcile({}); ++i)
      if (child_->wait(20)) fail("HAProxy has ended at its start");
  }
  ~Haproxy() {
    child_->signal(SIGKILL);
    child_->wait(5'000);
    std::filesystem::remove_all(folder_);
  }
  Haproxy(Haproxy const&) = delete;
  Haproxy& operator=(Haproxy const&) = delete;

  // Until HAProxy itself shows that all is as wanted.
  double bring_ms(std::vector<BalancedServer> const& wanted) {
    auto const begin = std::chrono::steady_clock::now();
    auto const seen = balancer_->reconcile({{port, wanted}});
    auto const took = std::chrono::steady_clock::now() - begin;
    if (!seen) fail(seen.error().what);
    if (seen->at(0).servers.size() != wanted.size())
      fail(fmt::format("HAProxy shows {} servers, not {}", seen->at(0).servers.size(),
                       wanted.size()));
    return std::chrono::duration<double, std::milli>(took).count();
  }

 private:
  std::filesystem::path folder_;
  std::optional<deployer::HaproxyBalancer> balancer_;
  std::optional<postgres::Child> child_;
};

std::vector<BalancedServer> some(std::uint32_t count, char const* name, std::uint32_t first_port) {
  std::vector<BalancedServer> all;
  for (std::uint32_t i = 0; i < count; ++i)
    all.push_back({fmt::format("{}{}", name, i), "127.0.0.1", first_port + i});
  return all;
}

struct Updates {
  double added = 0, moved = 0, replaced = 0, one = 0;
};

Updates updates_ms(int rounds) {
  Haproxy haproxy;
  std::vector<double> added, moved, replaced, one;
  for (int i = 0; i < rounds; ++i) {
    added.push_back(haproxy.bring_ms(some(servers, "a", 30'000)));
    moved.push_back(haproxy.bring_ms(some(servers, "a", 31'000)));
    replaced.push_back(haproxy.bring_ms(some(servers, "b", 30'000)));
    auto more = some(servers, "b", 30'000);
    more.push_back({"one", "127.0.0.1", 32'000});
    one.push_back(haproxy.bring_ms(more));
    haproxy.bring_ms({});
  }
  return {median(added), median(moved), median(replaced), median(one)};
}

}  // namespace

int main(int argc, char** argv) {
  auto const quick = argc > 1 && std::string(argv[1]) == "--quick";
  std::string line = fmt::format("{{\"decide_10000_services_ms\": {:.2f}",
                                 bench::decisions_ms(10'000, quick ? 3 : 21));
  if (::access(program, X_OK) == 0) {
    auto const u = updates_ms(quick ? 2 : 11);
    line +=
        fmt::format(", \"added\": {:.1f}, \"moved\": {:.1f}, \"replaced\": {:.1f}, \"one\": {:.1f}",
                    u.added, u.moved, u.replaced, u.one);
  }
  std::printf("%s}\n", line.c_str());
}
