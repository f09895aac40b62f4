#include "common/sim/machine.hpp"

#include "common/sim/world.hpp"

namespace lepton::sim {
namespace {

constexpr WallMs wall_base_ms = 1'800'000'000'000;
constexpr int steps_max = 20'000;  // within one instant; beyond it the actors go round in circles

}  // namespace

Machine::Machine(World& world, PartyIndex index, std::string name, Maker make,
                 ProcessOptions options, std::uint64_t seed)
    : world_(world),
      index_(index),
      name_(std::move(name)),
      make_(std::move(make)),
      options_(std::move(options)),
      seeds_(seed) {}

Machine::~Machine() = default;

TimeMs Machine::now_ms() const {
  return world_.now();
}
WallMs Machine::wall_ms() const {
  return wall_base_ms + world_.now() + wall_offset_ms_;
}

actor::Ports Machine::ports() {
  auto const log = [this](actor::Level level, std::string const& text) {
    world_.log(name_, level, text);
  };
  return {*this, *store_, *this, world_.gate(), *this, *entropy_, *chance_, log};
}

void Machine::after(TimeMs delay_ms, std::function<void()> task) {
  world_.at(delay_ms, [this, life = life_, task = std::move(task)] {
    if (life != life_ || !is_up()) return;
    task();
    poke();
  });
}

void Machine::boot() {
  if (is_up()) return;
  ++life_;
  poked_ = false;
  wake_at_.reset();
  chance_.emplace(seeds_.next());
  entropy_.emplace(seeds_.next());
  store_.emplace(disk_, store_settings());
  built_.emplace(make_(*this));
  LEPTON_CHECK(built_->system != nullptr, "a maker must build a system");
  built_->system->start();
  poke();
}

void Machine::die() {
  ++life_;
  built_.reset();
  store_.reset();
}

store::MemorySettings Machine::store_settings() {
  store::MemorySettings settings;
  settings.post = [this](std::function<void()> tell) { after(store_delay(), std::move(tell)); };
  settings.post_after = [this](TimeMs delay_ms, std::function<void()> tell) {
    after(delay_ms, std::move(tell));
  };
  settings.fault = [this](store::Batch const&) { return store_fault(); };
  settings.read_fault = [this]() -> std::optional<Error> {
    if (world_.now() >= store_back_at_) return std::nullopt;
    return Error{Code::unavailable, "the simulated store is away"};
  };
  settings.lease_epoch = disk_->take_lease();
  return settings;
}

TimeMs Machine::store_delay() {
  auto const most = std::max<TimeMs>(1, world_.faults().store_delay_max_ms);
  return 1 + static_cast<TimeMs>(chance_->below(static_cast<std::uint64_t>(most)));
}

store::Fault Machine::store_fault() {
  using store::FaultKind;
  auto const& f = world_.faults();
  auto const fault = [this](FaultKind kind, char const* what) {
    world_.note_store_fault(name_, what);
    return store::Fault{kind, 0};
  };
  if (world_.now() < store_back_at_) return fault(FaultKind::unavailable, "store away");
  if (f.in_doubt > 0 && chance_->happens(f.in_doubt))
    return chance_->happens(0.5) ? fault(FaultKind::in_doubt_applied, "commit in doubt, applied")
                                 : fault(FaultKind::in_doubt_lost, "commit in doubt, lost");
  if (f.rejected > 0 && chance_->happens(f.rejected)) return fault(FaultKind::rejected, "rejected");
  if (f.crash_at_commit > 0 && options_.crashes && chance_->happens(f.crash_at_commit))
    world_.crash(name_);
  return {};
}

void Machine::request(std::string const& peer, Header const& header, std::string const& body) {
  world_.send(index_, peer, header, body);
}

void Machine::answer(actor::Route const& route, Header const& header, std::string const& body) {
  world_.send(index_, route.identity, header, body);
}

void Machine::publish(Hint const& hint) {
  world_.publish(index_, hint);
}

void Machine::run(std::function<void()> job, std::function<void()> done) {
  job();
  after(1 + static_cast<TimeMs>(chance_->below(5)), std::move(done));
}

void Machine::poke() {
  if (poked_) return;
  poked_ = true;
  world_.at(0, [this, life = life_] {
    if (life != life_ || !is_up()) return;
    poked_ = false;
    step();
  });
}

void Machine::step() {
  auto& system = *built_->system;
  std::optional<TimeMs> next;
  for (int i = 0;; ++i) {
    if (i == steps_max) world_.fail(name_ + " never comes to rest within one instant");
    bool const more = system.step();
    if (auto const why = system.gave_up()) return world_.gave_up(*this, *why);
    next = system.next_at();
    if (!more && (!next || *next > world_.now())) break;
  }
  if (next) wake_at(*next);
}

void Machine::wake_at(TimeMs when) {
  if (wake_at_ && *wake_at_ <= when && *wake_at_ > world_.now()) return;
  wake_at_ = when;
  world_.at(when - world_.now(), [this, life = life_, when] {
    if (life != life_ || !is_up() || wake_at_ != when) return;
    wake_at_.reset();
    step();
  });
}

}  // namespace lepton::sim
