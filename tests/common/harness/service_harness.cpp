#include "tests/common/harness/service_harness.hpp"

namespace lepton::test {

Status RuleGate::allow(actor::Caller const& caller, Verb verb, std::string_view resource) {
  return rule ? rule(caller, verb, resource) : ok();
}

void ServiceHarness::boot_service(std::string const& name, actor::Factory make) {
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

std::string ServiceHarness::post_as(std::string_view topic, std::string body, As const& who) {
  auto const id = who.id.empty() ? "r" + std::to_string(++asked_) : who.id;
  actor::Request r;
  r.caller = {who.door, who.name, who.key, who.policies, who.token};
  r.route = {0, who.name};
  r.header.kind = Kind::request;
  r.header.topic = topic;
  r.header.id = id;
  r.header.deadline_ms = 60'000;
  r.header.attempt = who.attempt;
  r.body = std::move(body);
  system->deliver_request(std::move(r));
  settle();
  return id;
}

std::optional<Result<std::string>> ServiceHarness::body_to(std::string const& id) const {
  auto const all = answers(id);
  if (all.empty()) return std::nullopt;
  if (all.back().header.kind == Kind::reply) return Result<std::string>(all.back().body);
  auto const refusal = *codec::decode<Refusal>(all.back().body);
  return Error{refusal.code, refusal.what};
}

std::vector<RecordingWire::Message> ServiceHarness::open_requests(std::string_view topic) const {
  std::vector<RecordingWire::Message> open;
  for (auto i = served_; i < wire.requests.size(); ++i) {
    auto const& request = wire.requests[i];
    if (request.header.topic == topic && request.header.attempt == 1 &&
        !replied_.contains(request.header.id))
      open.push_back(request);
  }
  return open;
}

void ServiceHarness::reply_with(RecordingWire::Message const& request, Result<std::string> body) {
  replied_.insert(request.header.id);
  Header back{.kind = body ? Kind::reply : Kind::refusal,
              .topic = request.header.topic,
              .id = request.header.id};
  if (!body) body = codec::encode(Refusal{body.error().code, body.error().what, 0});
  system->deliver_reply(request.to, back, std::move(*body));
  settle();
}

std::vector<AuditEvent> ServiceHarness::audited(std::string const& action) const {
  std::vector<AuditEvent> found;
  for (auto const& event : Harness::audited())
    if (event.action == action) found.push_back(event);
  return found;
}

}  // namespace lepton::test
