#include "tests/sim/knobs.hpp"

#include "common/base/text.hpp"
#include "common/crypto/seeded_entropy.hpp"

namespace lepton::sim {
namespace {

constexpr double seldom = 0.2;

// Sets some of the settings that it is shown to one of the extremes given.
class Drawer {
 public:
  Drawer(Knobs& knobs, std::uint64_t seed) : knobs_(knobs), chance_(seed ^ 0x6b6e6f62u) {}

  template <class T>
  void one(char const* name, T& setting, std::initializer_list<T> extremes) {
    if (!chance_.happens(seldom)) return;
    setting = *(extremes.begin() + chance_.below(extremes.size()));
    knobs_.drawn.push_back(std::string(name) + " " + std::to_string(setting));
  }

 private:
  Knobs& knobs_;
  Chance chance_;
};

void draw_runtime(Drawer& draw, Knobs& k) {
  draw.one<std::size_t>("mailbox", k.host.mailbox.messages_max, {8, 32, 256});
  draw.one<std::size_t>("group items", k.host.group_items_max, {1, 4});
  draw.one<std::size_t>("group rows", k.host.group_rows_max, {8, 64});
  draw.one<std::size_t>("reads", k.host.reads_max, {1, 4});
  draw.one<std::size_t>("open calls", k.host.calls_max, {16, 64});
  draw.one<std::size_t>("recorded", k.host.recorded_max, {16, 64});
  draw.one<TimeMs>("store retry", k.host.store_retry_ms, {10, 2'000});
  draw.one<std::size_t>("events kept", k.host.outlet.kept_max, {1, 16});
  draw.one<std::int64_t>("backlog", k.host.outlet.backlog_max, {8, 64});
  draw.one<std::size_t>("credit window", k.asks.window, {2, 16});
  draw.one<TimeMs>("first resend", k.asks.resend_first_ms, {20, 3'000});
  draw.one<TimeMs>("last resend", k.asks.resend_max_ms, {500, 20'000});
  draw.one<double>("resend budget", k.asks.budget_ratio, {0.0, 1.0});
  draw.one<TimeMs>("heads every", k.head_every_ms, {50, 5'000});
}

void draw_services(Drawer& draw, Knobs& k) {
  draw.one<TimeMs>("tick", k.deployer.tick_ms, {20, 3'000});
  draw.one<TimeMs>("suspect after", k.deployer.suspect_after_ms, {1'500, 10'000});
  draw.one<TimeMs>("unreachable after", k.deployer.unreachable_after_ms, {10'000, 60'000});
  draw.one<std::uint32_t>("tries per pass", k.deployer.tries_per_pass, {1, 8});
  draw.one<std::size_t>("finished kept", k.deployer.finished_kept_max, {0, 4});
  draw.one<TimeMs>("patience", k.deployer.patience_ms, {1'000, 20'000});
  draw.one<TimeMs>("patience check", k.deployer.patience_check_ms, {20, 2'000});
  draw.one<std::int64_t>("decisions kept", k.deployer.decisions.kept, {5, 100});
  draw.one<std::int64_t>("snapshot every", k.deployer.decisions.snapshot_every, {4, 40});
  draw.one<std::size_t>("steps of a row", k.deployer.decisions.steps_per_row, {1, 10});
  draw.one<std::size_t>("steps that wait", k.deployer.decisions.steps_waiting, {2, 50});
  draw.one<std::size_t>("input of a decision", k.deployer.decisions.input_max, {0, 3});
  draw.one<TimeMs>("waits told every", k.deployer.waits_told_every_ms, {0, 5'000});
  draw.one<TimeMs>("beat", k.node.beat_ms, {100, 4'000});
  draw.one<TimeMs>("poll", k.node.poll_ms, {20, 2'000});
  draw.one<std::size_t>("attempts kept", k.node.kept_max, {0, 2});
  draw.one<TimeMs>("pull every", k.auditor.pull_every_ms, {50, 5'000});
  draw.one<TimeMs>("pull limit", k.auditor.pull_limit_ms, {500, 10'000});
  draw.one<std::uint32_t>("page", k.auditor.page_max, {1, 10});
  draw.one<std::uint64_t>("search", k.auditor.search_max, {10});
  draw.one<TimeMs>("longest lease", k.lease_max_ms, {5'000, 60'000});
  draw.one<TimeMs>("shortest lease", k.lease_min_ms, {2'500});
  draw.one<TimeMs>("grace", k.grace_ms, {0, 5'000});
  draw.one<TimeMs>("trust", k.deployer.trust_ms, {1'000, 600'000});
  k.node.sync_timeout_ms = k.node.beat_ms + 3'000;
  // Nodes that are suspect between their beats are never all ready for a gang at one time.
  k.deployer.suspect_after_ms = std::max(k.deployer.suspect_after_ms, k.node.beat_ms + 1'000);
  // A lease that is shorter than the pause between two renewals can never be kept.
  k.lease_min_ms = std::max(k.lease_min_ms, 5 * k.node.beat_ms / 2);
  k.lease_max_ms = std::max(k.lease_max_ms, k.lease_min_ms);
}

}  // namespace

Knobs Knobs::usual() {
  crypto::SeededEntropy entropy(7);
  Knobs k{.auditor = {.key = crypto::SigningKey::create(entropy)}};
  k.host.restarts_max = 1'000;  // injected faults are no bugs of the actor
  return k;
}

Knobs Knobs::draw(std::uint64_t seed) {
  auto k = usual();
  Drawer draw(k, seed);
  draw_runtime(draw, k);
  draw_services(draw, k);
  return k;
}

std::string Knobs::text() const {
  return drawn.empty() ? "as usual" : lepton::text::join(drawn, ", ");
}

}  // namespace lepton::sim
