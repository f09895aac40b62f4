#include "common/sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::sim {

// A message under way: both parts encoded, as the wire would carry them.
struct World::Frame {
  PartyIndex from, to;
  std::string head, body;
};

struct World::Rules final : actor::Gate {
  Rule rule;
  Status allow(actor::Caller const& caller, Verb verb, std::string_view resource) override {
    return rule ? rule(caller, verb, resource) : ok();
  }
};

World::World(std::uint64_t seed, Faults faults)
    : seed_(seed),
      faults_text_(faults.text()),
      repeat_("scripts/sim --seed " + std::to_string(seed)),
      faults_(faults),
      chance_(seed),
      manners_(seed ^ 0xc10c45u),
      network_(chance_.next(), faults),
      rules_(std::make_unique<Rules>()) {
  start_faults();
}

World::~World() {
  end();
}

void World::end() {
  for (auto& party : parties_)
    if (party.machine) party.machine->die();
}

PartyIndex World::add_party(actor::Caller caller) {
  auto const index = static_cast<PartyIndex>(parties_.size());
  LEPTON_CHECK(!by_name_.contains(caller.name), "two parties of one name");
  caller.key = crypto::z85(crypto::view(crypto::sha256(caller.name)));  // as CURVE keys look
  by_name_[caller.name] = index;
  parties_.push_back({std::move(caller), nullptr, nullptr});
  return index;
}

Machine& World::add_process(std::string name, Maker make, ProcessOptions options) {
  auto const index = add_party({options.door, name, "", options.policies});
  for (auto const& service : options.serves) {
    LEPTON_CHECK(!by_name_.contains(service), "two processes serve one name");
    by_name_[service] = index;
  }
  parties_[index].machine = std::make_unique<Machine>(
      *this, index, std::move(name), std::move(make), std::move(options), chance_.next());
  auto& machine = *parties_[index].machine;
  set_manners(machine);
  machine.boot();
  return machine;
}

Client& World::add_client(std::string name, std::vector<std::string> policies) {
  auto const index = add_party({actor::Door::client, name, "", std::move(policies)});
  parties_[index].client = std::make_unique<Client>(*this, index, std::move(name), chance_.next());
  return *parties_[index].client;
}

void World::set_gate(Rule rule) {
  rules_->rule = std::move(rule);
}
actor::Gate& World::gate() {
  return *rules_;
}

Machine& World::machine(std::string const& name) {
  auto const found = by_name_.find(name);
  LEPTON_CHECK(found != by_name_.end() && parties_[found->second].machine,
               "no process of this name");
  return *parties_[found->second].machine;
}
Machine const& World::machine(std::string const& name) const {
  return const_cast<World*>(this)->machine(name);
}

bool World::serves(std::string const& process, std::string const& service) const {
  auto const a = by_name_.find(process), b = by_name_.find(service);
  return a != by_name_.end() && b != by_name_.end() && a->second == b->second;
}

bool World::all_up() const {
  return std::all_of(parties_.begin(), parties_.end(), [](Party const& party) {
    return !party.machine || (party.machine->is_up() && !party.machine->is_crashing());
  });
}

void World::step() {
  auto const task = agenda_.take();
  ++stats_.events;
  task();
  for (auto const& check : checks_) check(*this);
}

void World::run_for(TimeMs ms) {
  auto const end = now() + ms;
  while (!agenda_.empty() && agenda_.next_at() <= end) step();
  agenda_.set_now(end);
}

bool World::run_until(std::function<bool()> const& done, TimeMs limit_ms) {
  auto const end = now() + limit_ms;
  while (!done()) {
    if (agenda_.empty() || agenda_.next_at() > end) {
      agenda_.set_now(end);
      return done();
    }
    step();
  }
  return true;
}

void World::send(PartyIndex from, std::string const& to, Header const& header,
                 std::string const& body) {
  auto const found = by_name_.find(to);
  if (found == by_name_.end()) {
    ++stats_.undeliverable;
    return;
  }
  transmit(std::make_shared<Frame>(Frame{from, found->second, codec::encode(header), body}));
}

void World::publish(PartyIndex from, Hint const& hint) {
  Header const header{.kind = Kind::hint, .topic = "platform.hint"};
  auto const head = codec::encode(header), body = codec::encode(hint);
  // Who comes by the door of clients hears none.
  for (PartyIndex to = 0; to < parties_.size(); ++to)
    if (auto const& machine = parties_[to].machine;
        to != from && machine && machine->options().door == actor::Door::peer)
      transmit(std::make_shared<Frame>(Frame{from, to, head, body}));
}

void World::transmit(std::shared_ptr<Frame const> frame) {
  auto const fate = network_.draw();
  if (fate.copies == 0) ++stats_.lost;
  if (fate.copies == 2) ++stats_.duplicated;
  for (std::size_t i = 0; i < fate.copies; ++i)
    at(fate.delays[i], [this, frame] { deliver(frame); });
}

void World::deliver(std::shared_ptr<Frame const> const& shared) {
  auto const& frame = *shared;
  auto& from = parties_[frame.from];
  auto& to = parties_[frame.to];
  if (network_.is_cut(frame.from, frame.to, now())) {
    ++stats_.cut_off;
    return;
  }
  if (to.machine && !to.machine->is_up()) {
    ++stats_.undeliverable;
    return;
  }
  if (auto const wait = to.machine ? to.machine->stalled_for() : 0; wait > 0)
    return deliver_later(shared, wait);
  auto header = codec::decode<Header>(frame.head);
  LEPTON_CHECK(header.has_value(), "a header does not survive its own codec");
  ++stats_.delivered;
  journal_.trace(now(), from.caller.name, to.caller.name, frame.head, frame.body);
  if (header->kind != Kind::hint)
    journal_.note(now(), schema::name_of(header->kind), from.caller.name, to.caller.name,
                  header->topic, header->id);
  if (to.client) return to.client->deliver(from.caller.name, *header, frame.body);
  deliver_to_machine(*to.machine, frame, std::move(*header));
}

// What waits at one that stands still is lost with its life; its successor never had it.
void World::deliver_later(std::shared_ptr<Frame const> const& frame, TimeMs wait) {
  auto const& machine = *parties_[frame->to].machine;
  at(wait, [this, frame, &machine, life = machine.life()] {
    if (machine.life() == life) return deliver(frame);
    ++stats_.lost;
  });
}

void World::deliver_request(actor::System& system, Frame const& frame, Header header) {
  auto const& caller = parties_[frame.from].caller;
  actor::Request request;
  request.caller = caller;
  request.route = {0, caller.name};
  request.header = std::move(header);
  request.body = frame.body;
  system.deliver_request(std::move(request));
}

// Who is connected to an instance does not notice that another has taken over. What an instance
// that stands still has received is lost when it ends.
bool World::deliver_to_old(Machine& machine, Frame const& frame, Header const& header) {
  auto* old = machine.old_life_for(frame.from);
  if (old == nullptr || header.kind != Kind::request) return false;
  if (old->stalled_for() > 0) {
    ++stats_.lost;
    return true;
  }
  deliver_request(*old->system(), frame, header);
  old->poke();
  return true;
}

void World::deliver_to_machine(Machine& machine, Frame const& frame, Header header) {
  auto const& caller = parties_[frame.from].caller;
  auto& system = *machine.system();
  if (deliver_to_old(machine, frame, header)) return;
  switch (header.kind) {
    case Kind::request:
      deliver_request(system, frame, std::move(header));
      break;
    case Kind::reply:
    case Kind::refusal:
      system.deliver_reply(caller.name, header, frame.body);
      break;
    case Kind::hint: {
      auto const hint = codec::decode<Hint>(frame.body);
      LEPTON_CHECK(hint.has_value(), "a hint does not survive its own codec");
      system.deliver_hint(*hint);
      break;
    }
    case Kind::unknown:
      LEPTON_CHECK(false, "a message without a kind was sent");
  }
  machine.poke();
}

void World::log(std::string const& process, actor::Level level, std::string const& text) {
  if (level >= actor::Level::warning)
    journal_.note(now(), fmt::format("log of {}: {}", process, text));
}

void World::note_store_fault(std::string const& process, char const* what) {
  ++stats_.store_faults;
  journal_.note(now(), fmt::format("store of {}: {}", process, what));
}

void World::note_answer(Machine const& from, std::string const& to, Header const& header,
                        std::string const& body) {
  for (auto const& check : answered_) check(from, to, header, body);
}

void World::note_end(Sent const& sent) {
  journal_.note(now(),
                fmt::format("{} for {}: {} {} after {} sendings {}", schema::name_of(sent.outcome),
                            sent.client, sent.topic, sent.id, sent.attempts, sent.refusal.what));
}

void World::fail(std::string const& why) const {
  throw Failure(fmt::format("{}\n  at {} ms; to repeat: {}\n  faults: {}\n{}", why, now(), repeat_,
                            faults_text_, journal_.text()));
}

}  // namespace lepton::sim
