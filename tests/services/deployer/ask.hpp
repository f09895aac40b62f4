#pragma once
// What the tests of the services' actors share: one actor on the hand-driven surrounding, asked as
// anybody through either door. Also used by the tests of the vault and of the node.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/common/actor/harness.hpp"

namespace lepton::test {

struct RuleGate final : actor::Gate {
  std::function<Status(actor::Caller const&, Verb, std::string_view)> rule;
  Status allow(actor::Caller const& caller, Verb verb, std::string_view resource) override {
    return rule ? rule(caller, verb, resource) : ok();
  }
};

struct As {
  std::string name = "ann";
  actor::Door door = actor::Door::client;
  std::vector<std::string> policies = {};
  std::string token = "";
  std::string key = std::string(40, 'k');  // Z85, as of a CURVE key
  std::string id = "";                     // empty: a fresh one
  std::uint32_t attempt = 1;
};

template <store::Row T>
std::vector<T> rows_of(store::MemoryDisk const& disk) {
  std::vector<T> all;
  for (auto const& [key, cells] : disk.rows(T::table)) all.push_back(*store::from_cells<T>(cells));
  return all;
}

// As text in failures of tests.
template <class T>
std::string outcome(Result<T> const& result) {
  return result ? "ok" : std::string(schema::name_of(result.error().code));
}

class ServiceHarness : public Harness {
 protected:
  RuleGate rule_gate;

  void boot_service(std::string const& name, actor::Factory make) {
    forget();
    served_ = wire.requests.size();
    system_settings.service = name;
    system = std::make_unique<actor::System>(
        system_settings,
        actor::Ports{clock, store, wire, rule_gate, worker, entropy, chance,
                     [this](actor::Level, std::string const& text) { logs.push_back(text); }});
    system->add(name, std::move(make), settings);
    system->start();
    settle();
  }

  template <class M>
  std::string post_as(M const& message, As who = {}) {
    auto const id = who.id.empty() ? "r" + std::to_string(++asked_) : who.id;
    actor::Request r;
    r.caller = {who.door, who.name, who.key, who.policies, who.token};
    r.route = {0, who.name};
    r.header.kind = Kind::request;
    r.header.topic = M::topic;
    r.header.id = id;
    r.header.deadline_ms = 60'000;
    r.header.attempt = who.attempt;
    r.body = codec::encode(message);
    system->deliver_request(std::move(r));
    settle();
    return id;
  }
  // The newest answer to the request; nothing when there is none yet.
  template <class M>
  std::optional<Result<typename M::Reply>> answer_to(std::string const& id) const {
    auto const all = answers(id);
    if (all.empty()) return std::nullopt;
    if (all.back().header.kind == Kind::reply)
      return codec::decode<typename M::Reply>(all.back().body);
    auto const refusal = *codec::decode<Refusal>(all.back().body);
    return Error{refusal.code, refusal.what};
  }
  template <class M>
  Result<typename M::Reply> ask(M const& message, As who = {}) {
    auto const id = post_as(message, std::move(who));
    auto const answer = answer_to<M>(id);
    return answer ? *answer : Error{Code::timeout, "no answer yet"};
  }

  // What the service has asked of `peer` and nobody has answered yet, oldest first.
  template <class M>
  std::vector<RecordingWire::Message> open_requests() {
    std::vector<RecordingWire::Message> open;
    for (auto i = served_; i < wire.requests.size(); ++i) {
      auto const& request = wire.requests[i];
      if (request.header.topic == M::topic && request.header.attempt == 1 &&
          !replied_.contains(request.header.id))
        open.push_back(request);
    }
    return open;
  }
  template <class M>
  void reply_to(RecordingWire::Message const& request, Result<typename M::Reply> const& reply) {
    replied_.insert(request.header.id);
    Header back{.kind = reply ? Kind::reply : Kind::refusal,
                .topic = request.header.topic,
                .id = request.header.id};
    auto body = reply ? codec::encode(*reply)
                      : codec::encode(Refusal{reply.error().code, reply.error().what, 0});
    system->deliver_reply(request.to, back, std::move(body));
    settle();
  }
  std::vector<AuditEvent> audited(std::string const& action) const {
    std::vector<AuditEvent> found;
    for (auto const& event : Harness::audited())
      if (event.action == action) found.push_back(event);
    return found;
  }

 private:
  std::size_t served_ = 0;
  std::size_t asked_ = 0;
  std::set<std::string> replied_;
};

}  // namespace lepton::test
