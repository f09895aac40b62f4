#include "common/bus/link.hpp"

#include <algorithm>
#include <utility>

#include "common/bus/frames.hpp"

namespace lepton::bus {

Result<Link> Link::dial(Context& context, LinkSettings settings, TimeMs now_ms) {
  Link link(context, std::move(settings));
  if (auto opened = link.open(); !opened) return opened.error();
  link.alive(now_ms);
  return link;
}

Status Link::open() {
  auto socket = Socket::client(*context_, settings_.pattern, settings_.server_keys.at(turn_),
                               settings_.keys, settings_.limits);
  if (!socket) return socket.error();
  if (settings_.watches_server)
    if (auto watched = socket->watch_server(); !watched) return watched;
  if (auto connected = socket->connect(settings_.endpoint); !connected) return connected;
  socket_ = std::move(*socket);
  return ok();
}

bool Link::send(std::string_view header, std::string_view body) {
  return socket_.send({header_size(header), header, body}) == Sent::done;
}

void Link::alive(TimeMs now_ms) {
  pause_ms_ = settings_.redial_first_ms;
  if (settings_.server_keys.size() > 1) pause_ms_ = std::min(pause_ms_, settings_.redial_turn_ms);
  redial_at_ = now_ms + pause_ms_;
}

void Link::set_server_keys(std::vector<std::string> keys) {
  settings_.server_keys = std::move(keys);
  turn_ = 0;
}

bool Link::heal(TimeMs now_ms, Chance& chance) {
  if (now_ms < redial_at_) return false;
  bool const in_turn = settings_.server_keys.size() > 1;
  turn_ = (turn_ + 1) % settings_.server_keys.size();
  pause_ms_ = std::min(2 * pause_ms_, in_turn ? settings_.redial_turn_ms : settings_.redial_max_ms);
  // Jitter keeps the many clients of one server apart after its restart.
  redial_at_ = now_ms + pause_ms_ / 2 + TimeMs(chance.below(std::uint64_t(pause_ms_ / 2 + 1)));
  return bool(open());
}

}  // namespace lepton::bus
