#include <fmt/format.h>

#include <algorithm>

#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::uint32_t held_max = 100;           // at one entrance
constexpr std::uint32_t held_max_all = 2'000;     // half of maxconn: the rest is for what is served
constexpr std::uint32_t hold_unknown_ms = 2'000;  // until the deployer has said how long

// While no server can take it a request waits; one that finds too many there, or waits too long, is
// refused with the time after which it should come again.
std::string hold_rules(std::string const& backend, std::uint32_t port, std::string const& map,
                       std::uint32_t most) {
  return fmt::format(
      "  acl nobody nbsrv({0}) eq 0\n"
      "  http-request set-var(txn.hold_ms) str({1}),map_str_int({2},{3}) if nobody\n"
      "  http-request return status 503 content-type text/plain hdr Retry-After 5 string "
      "\"too many requests wait here for a replica; try again later\\n\" if nobody "
      "{{ be_conn({0}) gt {4} }}\n"
      "  http-request lua.hold {0} if nobody\n"
      "  http-request return status 503 content-type text/plain hdr Retry-After 5 string "
      "\"no replica is ready for this request; try again later\\n\" if nobody\n",
      backend, port, map, hold_unknown_ms, most);
}

}  // namespace

std::string haproxy_hold_map(std::string const& socket) {
  return socket + ".hold";
}

// The sleep gives the thread back to HAProxy. A client that goes away ends its wait.
std::string haproxy_hold_program() {
  return "-- Written at each start of `lepton up`; changes here are lost.\n"
         "core.register_action(\"hold\", {\"http-req\"}, function(txn, backend)\n"
         "  local left = txn:get_var(\"txn.hold_ms\") or 0\n"
         "  while left > 0 and txn.f:nbsrv(backend) == 0 do\n"
         "    core.msleep(50)\n"
         "    left = left - 50\n"
         "  end\n"
         "end, 1)\n";
}

// A request that reached no replica is tried at another one; one that may have had an effect is
// not.
std::string haproxy_config(HaproxyPlan const& plan) {
  std::string text = "# Written at each start of `lepton up`; changes here are lost.\nglobal\n";
  text += fmt::format("  stats socket {} mode 600 level admin\n", plan.socket);
  text += fmt::format("  lua-load-per-thread {}\n", plan.hold_program);
  if (!plan.user.empty()) text += fmt::format("  user {}\n", plan.user);
  text +=
      "  maxconn 4000\n"
      "  hard-stop-after 10s\n"
      "defaults\n"
      "  mode http\n"
      "  timeout connect 2s\n"
      "  timeout client 60s\n"
      "  timeout server 60s\n"
      "  timeout queue 10s\n"
      "  timeout http-request 10s\n"
      "  retries 3\n"
      "  option redispatch 1\n"
      "  option abortonclose\n"
      "  retry-on conn-failure empty-response\n"
      "  balance leastconn\n";
  auto const most = std::clamp(held_max_all / std::max(plan.count, 1u), 5u, held_max);
  for (auto port = plan.first; port < plan.first + plan.count; ++port) {
    text += fmt::format(
        "frontend f{0}\n  bind {1}:{0}\n  default_backend b{0}\n"
        "backend b{0}\n  http-request disable-l7-retry unless METH_GET\n",
        port, plan.listen);
    text += hold_rules(fmt::format("b{}", port), port, haproxy_hold_map(plan.socket), most);
  }
  return text;
}

}  // namespace lepton::deployer
