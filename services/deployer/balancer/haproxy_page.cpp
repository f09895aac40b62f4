#include "services/deployer/balancer/haproxy_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/text.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t columns_max = 512;

// Whole fields only: HAProxy puts commas into none of those that are read here.
std::vector<std::string> fields_of(std::string_view line) {
  return text::split(line, ',');
}

class Page {
 public:
  Status header(std::string_view line) {
    if (!line.starts_with("# ")) return Error{Code::invalid, "HAProxy's page has no header"};
    auto const names = fields_of(line.substr(2));
    for (std::size_t i = 0; i < std::min(names.size(), columns_max); ++i) columns_[names[i]] = i;
    for (auto const* name : {"pxname", "svname", "scur", "stot", "status", "addr"})
      if (!columns_.contains(name))
        return Error{Code::invalid, fmt::format("HAProxy's page has no column {}", name)};
    return ok();
  }

  void row(std::string_view line) {
    fields_ = fields_of(line);
    auto const proxy = field("pxname");
    auto const port = proxy.starts_with('b') ? text::parse_int(proxy.substr(1)) : std::nullopt;
    if (!port || *port < 1 || *port > 65'535) return;
    auto& backend = backends_[static_cast<std::uint32_t>(*port)];
    backend.port = static_cast<std::uint32_t>(*port);
    if (field("svname") == "BACKEND") {
      backend.requests = number("stot");
      backend.in_flight = number("scur");
    } else {
      backend.servers.push_back({field("svname"), field("addr"), state(), number("scur")});
    }
  }

  std::vector<HaproxyBackend> take() {
    std::vector<HaproxyBackend> all;
    for (auto& [port, backend] : backends_) all.push_back(std::move(backend));
    return all;
  }

 private:
  std::string field(char const* name) const {
    auto const at = columns_.find(name)->second;
    return at < fields_.size() ? fields_[at] : "";
  }
  std::uint64_t number(char const* name) const {
    auto const value = text::parse_int(field(name));
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
  }
  HaproxyState state() const {
    auto const status = field("status");
    if (status.starts_with("MAINT")) return HaproxyState::maintenance;
    if (status.starts_with("DRAIN") || status.starts_with("NOLB")) return HaproxyState::draining;
    return HaproxyState::active;
  }

  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::string> fields_;
  std::map<std::uint32_t, HaproxyBackend> backends_;
};

class Commands {
 public:
  explicit Commands(std::uint32_t port) : backend_(fmt::format("b{}", port)) {}

  // Checks often when something changes: a replica that has died is left alone within 0.2 s.
  void add(BalancedServer const& s) {
    commands_.push_back(fmt::format(
        "add server {}/{} {}:{} check inter 500ms fastinter 100ms fall 2 rise 1 weight 100",
        backend_, s.name, s.host, s.port));
    commands_.push_back(fmt::format("enable health {}/{}", backend_, s.name));
    commands_.push_back(fmt::format("enable server {}/{}", backend_, s.name));
    if (s.draining) state(s.name, "drain");
  }
  void state(std::string const& name, char const* word) {
    commands_.push_back(fmt::format("set server {}/{} state {}", backend_, name, word));
  }
  void move(BalancedServer const& s) {
    commands_.push_back(
        fmt::format("set server {}/{} addr {} port {}", backend_, s.name, s.host, s.port));
  }
  void remove(std::string const& name) {
    state(name, "maint");
    commands_.push_back(fmt::format("del server {}/{}", backend_, name));
  }
  std::vector<std::string> take() { return std::move(commands_); }

 private:
  std::string backend_;
  std::vector<std::string> commands_;
};

}  // namespace

Result<std::vector<HaproxyBackend>> parse_haproxy_page(std::string_view page) {
  Page parsed;
  bool first = true;
  for (auto const& line : text::split(page, '\n')) {
    if (line.empty()) continue;
    if (!std::exchange(first, false)) {
      parsed.row(line);
    } else if (auto good = parsed.header(line); !good) {
      return good.error();
    }
  }
  if (first) return Error{Code::invalid, "HAProxy shows an empty page"};
  return parsed.take();
}

// A line is an address in memory, a key and a value.
Result<std::map<std::uint32_t, std::int64_t>> parse_haproxy_holds(std::string_view text) {
  std::map<std::uint32_t, std::int64_t> holds;
  for (auto const& line : text::split(text, '\n')) {
    if (text::trim(line).empty()) continue;
    auto const words = text::split(text::trim(line), ' ');
    auto const port = words.size() == 3 ? text::parse_int(words[1]) : std::nullopt;
    auto const value = words.size() == 3 ? text::parse_int(words[2]) : std::nullopt;
    if (!port || *port < 1 || *port > 65'535 || !value)
      return Error{Code::not_found, "HAProxy has no map of waiting times"};
    holds[static_cast<std::uint32_t>(*port)] = *value;
  }
  return holds;
}

std::optional<std::string> haproxy_hold_command(HaproxyBackend const& is, std::int64_t hold_ms,
                                                std::string const& map) {
  if (is.hold_ms == hold_ms) return std::nullopt;
  return fmt::format("{} map {} {} {}", is.hold_ms ? "set" : "add", map, is.port, hold_ms);
}

std::vector<std::string> haproxy_commands(HaproxyBackend const& is,
                                          std::vector<BalancedServer> const& wanted) {
  Commands commands(is.port);
  std::map<std::string, HaproxyServer> present;
  for (auto const& server : is.servers) present[server.name] = server;
  for (auto const& want : wanted) {
    auto const found = present.find(want.name);
    if (found == present.end()) {
      commands.add(want);
      continue;
    }
    auto const& has = found->second;
    if (has.address != address_of(want)) commands.move(want);
    auto const goal = want.draining ? HaproxyState::draining : HaproxyState::active;
    if (has.state != goal) commands.state(want.name, want.draining ? "drain" : "ready");
    present.erase(found);
  }
  for (auto const& [name, server] : present) {
    if (server.in_flight == 0)
      commands.remove(name);
    else if (server.state == HaproxyState::active)
      commands.state(name, "drain");
  }
  return commands.take();
}

Status check_server(BalancedServer const& server) {
  auto const fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  auto const numeric = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  if (server.name.empty() || server.name.size() > 63 ||
      !std::all_of(server.name.begin(), server.name.end(), fits))
    return Error{Code::invalid, "'" + server.name.substr(0, 64) + "' is not a name of a server"};
  if (server.host.empty() || server.host.size() > 15 ||
      !std::all_of(server.host.begin(), server.host.end(), numeric))
    return Error{Code::invalid,
                 "'" + server.host.substr(0, 64) + "' is not a numeric IPv4 address"};
  if (server.port < 1 || server.port > 65'535)
    return Error{Code::invalid, "a server's port must be from 1 to 65535"};
  return ok();
}

}  // namespace lepton::deployer
