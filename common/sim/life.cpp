#include "common/sim/life.hpp"

#include <utility>

#include "common/sim/world.hpp"

namespace lepton::sim {
namespace {

constexpr int steps_max = 20'000;  // within one instant; beyond it the actors go round in circles

}  // namespace

Life::Life(World& world, Machine& machine, Chance& seeds)
    : world_(world), machine_(machine), chance_(seeds.next()), entropy_(seeds.next()) {}

void Life::begin(Maker const& make) {
  store_.emplace(machine_.disk(), store_settings());
  built_.emplace(make(machine_));
  LEPTON_CHECK(built_->system != nullptr, "a maker must build a system");
  built_->system->start();
  poke();
}

void Life::end() {
  built_.reset();
  store_.reset();
}

TimeMs Life::stalled_for() const {
  return std::max<TimeMs>(0, stalled_until_ - world_.now());
}

actor::Ports Life::ports() {
  auto const log = [this](actor::Level level, std::string const& text) {
    world_.log(machine_.name(), level, text);
  };
  return {machine_, *store_, *this, world_.gate(), *this, entropy_, chance_, log};
}

// A process that stands still does what became due when it goes on.
void Life::after(TimeMs delay_ms, std::function<void()> task) {
  world_.at(delay_ms, [weak = weak_from_this(), task = std::move(task)]() mutable {
    auto const life = weak.lock();
    if (!life || !life->built_) return;
    if (life->stalled_for() > 0) {
      life->due_.push_back(std::move(task));
      if (life->due_.size() == 1) life->do_due();
      return;
    }
    task();
    life->poke();
  });
}

// Something may have made it stand still for longer meanwhile.
void Life::do_due() {
  auto const wait = stalled_for();
  if (wait == 0)
    for (auto& task : std::exchange(due_, {})) after(0, std::move(task));
  else
    world_.at(wait, [weak = weak_from_this()] {
      if (auto const life = weak.lock(); life && life->built_) life->do_due();
    });
}

void Life::go_on() {
  stalled_until_ = 0;
  do_due();
  poke();
}

store::MemorySettings Life::store_settings() {
  store::MemorySettings settings;
  settings.post = [this](std::function<void()> tell) { after(store_delay(), std::move(tell)); };
  settings.post_after = [this](TimeMs delay_ms, std::function<void()> tell) {
    after(delay_ms, std::move(tell));
  };
  settings.fault = [this](store::Batch const&) { return store_fault(); };
  settings.read_fault = [this]() -> std::optional<Error> {
    if (!machine_.is_store_away() && !is_cut_off_) return std::nullopt;
    return Error{Code::unavailable, "the simulated store is away"};
  };
  settings.lease_epoch = machine_.disk()->take_lease();
  return settings;
}

TimeMs Life::store_delay() {
  auto const most = std::max<TimeMs>(1, world_.faults().store_delay_max_ms);
  return 1 + static_cast<TimeMs>(chance_.below(static_cast<std::uint64_t>(most)));
}

store::Fault Life::store_fault() {
  using store::FaultKind;
  auto const& f = world_.faults();
  auto const happens = [this](double p) { return p > 0 && chance_.happens(p); };
  auto const fault = [this](FaultKind kind, char const* what) {
    world_.note_store_fault(machine_.name(), what);
    return store::Fault{kind, 0};
  };
  if (doomed_) return {FaultKind::unavailable, 0};
  if (is_cut_off_ || machine_.is_store_away()) return fault(FaultKind::unavailable, "store away");
  if (happens(f.in_doubt))
    return chance_.happens(0.5) ? fault(FaultKind::in_doubt_applied, "commit in doubt, applied")
                                : fault(FaultKind::in_doubt_lost, "commit in doubt, lost");
  if (happens(f.rejected)) return fault(FaultKind::rejected, "rejected");
  if (!machine_.options().crashes) return {};
  if (world_.is_crash_point() || happens(f.crash_before_commit)) {
    world_.crash_now(machine_, *this, "crash before a commit");
    return {FaultKind::unavailable, 0};
  }
  if (world_.is_crash_point() || happens(f.crash_at_commit))
    world_.crash_now(machine_, *this, "crash after a commit");
  return {};
}

// Crashes at a message: it has left already, or it never does.
void Life::send(std::function<void()> const& transmit) {
  if (doomed_) return;
  if (!machine_.options().crashes) return transmit();
  auto const often = world_.faults().crash_at_send;
  auto const crash = often > 0 && chance_.happens(often);
  if (world_.is_crash_point() || (crash && chance_.happens(0.5)))
    return world_.crash_now(machine_, *this, "crash before a message");
  transmit();
  if (world_.is_crash_point() || crash) world_.crash_now(machine_, *this, "crash after a message");
}

void Life::request(std::string const& peer, Header const& header, std::string const& body) {
  send([&] { world_.send(machine_.index(), peer, header, body); });
}

void Life::answer(actor::Route const& route, Header const& header, std::string const& body) {
  auto const to = world_.by_name_.find(route.identity);
  if (header.kind == Kind::reply && to != world_.by_name_.end() &&
      machine_.old_life_for(to->second) == this)
    world_.fail("an instance of " + machine_.name() + " answers " + header.topic +
                " after another had taken over");
  send([&] {
    world_.note_answer(machine_, route.identity, header, body);
    world_.send(machine_.index(), route.identity, header, body);
  });
}

void Life::publish(Hint const& hint) {
  send([&] { world_.publish(machine_.index(), hint); });
}

void Life::run(std::function<void()> job, std::function<void()> done) {
  if (doomed_) return;
  job();
  after(1 + static_cast<TimeMs>(chance_.below(5)), std::move(done));
}

void Life::poke() {
  if (poked_) return;
  poked_ = true;
  auto const lag = machine_.lag_max_ms();
  auto const wait = lag > 0 ? chance_.below(static_cast<std::uint64_t>(lag) + 1) : 0;
  world_.at(static_cast<TimeMs>(wait), [weak = weak_from_this()] {
    auto const life = weak.lock();
    if (!life || !life->built_) return;
    life->poked_ = false;
    life->step_unless_stalled();
  });
}

void Life::step_unless_stalled() {
  if (auto const stalled = stalled_for(); stalled > 0) return after(stalled, [] {});
  step();
}

void Life::step() {
  auto& system = *built_->system;
  std::optional<TimeMs> next;
  for (int i = 0;; ++i) {
    if (i == steps_max) world_.fail(machine_.name() + " never comes to rest within one instant");
    bool const more = system.step();
    if (auto const why = system.gave_up()) return machine_.gave_up(*this, *why);
    next = system.next_at();
    if (!more && (!next || *next > machine_.now_ms())) break;
  }
  if (next) wake_at(*next);
}

void Life::wake_at(TimeMs when) {
  if (wake_at_ && *wake_at_ <= when && *wake_at_ > machine_.now_ms()) return;
  wake_at_ = when;
  world_.at(machine_.world_time(when) - world_.now(), [weak = weak_from_this(), when] {
    auto const life = weak.lock();
    if (!life || !life->built_ || life->wake_at_ != when) return;
    life->wake_at_.reset();
    life->step_unless_stalled();
  });
}

}  // namespace lepton::sim
