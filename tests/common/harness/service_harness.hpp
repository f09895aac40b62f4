#pragma once
// What the tests of the services' actors share: one actor on the hand-driven surrounding, asked as
// anybody through either door.

#include <optional>
#include <set>

#include "tests/common/harness/harness.hpp"

namespace lepton::test {

struct RuleGate final : actor::Gate {
  std::function<Status(actor::Caller const&, Verb, std::string_view)> rule;
  Status allow(actor::Caller const& caller, Verb verb, std::string_view resource) override;
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

  void boot_service(std::string const& name, actor::Factory make);

  std::string post_as(std::string_view topic, std::string body, As const& who);
  template <class M>
  std::string post_as(M const& message, As const& who = {}) {
    return post_as(M::topic, codec::encode(message), who);
  }
  // The newest answer to the request; nothing when there is none yet.
  std::optional<Result<std::string>> body_to(std::string const& id) const;
  template <class M>
  std::optional<Result<typename M::Reply>> answer_to(std::string const& id) const {
    auto const body = body_to(id);
    if (!body) return std::nullopt;
    if (!*body) return body->error();
    return codec::decode<typename M::Reply>(**body);
  }
  template <class M>
  Result<typename M::Reply> ask(M const& message, As const& who = {}) {
    auto const answer = answer_to<M>(post_as(message, who));
    return answer ? *answer : Error{Code::timeout, "no answer yet"};
  }

  // What the service has asked of `peer` and nobody has answered yet, oldest first.
  std::vector<RecordingWire::Message> open_requests(std::string_view topic) const;
  template <class M>
  std::vector<RecordingWire::Message> open_requests() const {
    return open_requests(M::topic);
  }
  void reply_with(RecordingWire::Message const& request, Result<std::string> body);
  template <class M>
  void reply_to(RecordingWire::Message const& request, Result<typename M::Reply> const& reply) {
    reply_with(request, reply ? Result<std::string>(codec::encode(*reply)) : reply.error());
  }
  std::vector<AuditEvent> audited(std::string const& action) const;

 private:
  std::size_t served_ = 0;
  std::size_t asked_ = 0;
  std::set<std::string> replied_;
};

}  // namespace lepton::test
