#include "cli/up/settings.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/up/up.hpp"
#include "common/codec/yaml.hpp"
#include "common/postgres/process.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

// As libzmq listens, so that a port in TIME_WAIT is not taken for a used one.
Status check_port(std::string const& address, std::int64_t port) {
  Fd const socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_)
    return Error{Code::internal, fmt::format("cannot open a socket: {}", std::strerror(errno))};
  int const on = 1;
  setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &place.sin_addr);
  if (bind(socket_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0 &&
      listen(socket_.get(), 1) == 0)
    return ok();
  if (errno == EADDRINUSE)
    return Error{Code::conflict,
                 fmt::format("port {} at {} is in use by another program; see which one with `ss "
                             "-ltnp sport = :{}`, or choose other ports with --port-base",
                             port, address, port)};
  return Error{Code::invalid, fmt::format("cannot listen at {} port {}: {}; choose another "
                                          "address with --listen",
                                          address, port, std::strerror(errno))};
}

}  // namespace

Result<std::optional<StackSettings>> read_settings(Layout const& layout) {
  auto const text = read_private_file(layout.settings());
  if (!text && text.error().code == Code::not_found) return std::optional<StackSettings>();
  if (!text) return text.error();
  auto settings = codec::from_yaml<StackSettings>(*text);
  if (!settings)
    return Error{Code::invalid,
                 fmt::format("{}: {}", layout.settings().string(), settings.error().what)};
  return std::optional<StackSettings>(std::move(*settings));
}

Status write_settings(Layout const& layout, StackSettings const& settings) {
  return write_private_file(layout.settings(), codec::to_yaml(settings));
}

Status check_ports(StackSettings const& settings) {
  for (auto const& service : service_names())
    for (int door = 0; door <= metrics_door; ++door) {
      auto const& address = door == 1 ? settings.listen : std::string("127.0.0.1");
      if (auto free = check_port(address, port_of(settings, service, door)); !free) return free;
    }
  return ok();
}

Status check_entrances(StackSettings const& settings) {
  for (std::uint32_t i = 0; i < settings.entrances; ++i)
    if (auto free = check_port(settings.listen, entrance_first(settings) + i); !free) return free;
  return ok();
}

Result<StackSettings> wanted_settings(Layout const& layout, UpOptions const& o) {
  auto const known = read_settings(layout);
  if (!known) return known.error();
  auto settings = known->value_or(StackSettings{});
  if (o.port_base != 0) settings.port_base = o.port_base;
  if (!o.listen.empty()) settings.listen = o.listen;
  if (o.entrances > entrances_max)
    return Error{Code::invalid, fmt::format("--entrances takes 0 to {}", entrances_max)};
  if (o.entrances >= 0) settings.entrances = static_cast<std::uint32_t>(o.entrances);
  if (!o.inside.empty()) settings.inside = o.inside;
  if (!o.door.empty()) settings.door = o.door;
  if (!o.node_name.empty()) settings.node_name = o.node_name;
  if (!o.alert_url_file.empty()) settings.alert_url_file = fs::absolute(o.alert_url_file).string();
  if (!o.database_url_file.empty())
    settings.database_url_file = fs::absolute(o.database_url_file).string();
  if (o.no_node && o.with_node)
    return Error{Code::invalid, "--node and --no-node exclude each other"};
  if (o.no_node) settings.node = false;
  if (o.with_node) settings.node = true;
  if (settings.node_name.empty()) settings.node_name = this_node_name();
  if (auto good = check_settings(settings); !good) return good.error();
  return settings;
}

std::string this_node_name() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return node_name_of(host);
}

}  // namespace lepton::cli
