#pragma once
// Settings of the simulated suite. A seed draws a few of them to extremes, so that limits and
// seldom paths are met: mailboxes for eight messages, groups of one outbox, pages of one event,
// timers that are far too fast or too slow. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "common/actor/system.hpp"
#include "services/auditor/auditor.hpp"
#include "services/deployer/deployer.hpp"
#include "services/node/node.hpp"

namespace lepton::sim {

struct Knobs {
  actor::HostSettings host;
  actor::Asks::Settings asks;
  TimeMs head_every_ms = 500;
  deployer::Settings deployer;
  node::Settings node;
  auditor::Settings auditor;
  TimeMs lease_min_ms = 3'000, lease_max_ms = 15'000;  // of the jobs
  TimeMs grace_ms = 1'000;
  std::vector<std::string> drawn;  // what is not as usual, for people

  static Knobs usual();
  static Knobs draw(std::uint64_t seed);
  std::string text() const;
};

}  // namespace lepton::sim
