#pragma once
// A request while it is open: from its arrival until its answer stands in an outbox.

#include <string>
#include <string_view>

#include "common/actor/message.hpp"
#include "common/codec/kinds.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::actor {

// What the type of a message says about it. Each is a static member of the message; absent means
// the default.
struct Traits {
  Verb verb = Verb::read;
  bool mutates = false;       // recorded under its id, and audited
  bool audited = false;       // a read that leaves an audit entry before its answer
  bool peer_only = false;     // for services of the suite, not for clients
  bool open = false;          // for every authenticated key, without a policy
  bool secret_reply = false;  // the answer is never stored
};

template <class M>
consteval Traits traits_of() {
  Traits t;
  if constexpr (requires { M::verb; }) t.verb = M::verb;
  if constexpr (requires { M::mutates; }) t.mutates = M::mutates;
  if constexpr (requires { M::audited; }) t.audited = M::audited;
  if constexpr (requires { M::peer_only; }) t.peer_only = M::peer_only;
  if constexpr (requires { M::open; }) t.open = M::open;
  t.secret_reply = codec::holds_secret<typename M::Reply>();
  return t;
}

struct Call {
  std::uint64_t number = 0;
  Request request;
  Traits traits;
  crypto::Hash hash{};   // of a mutation's topic and body
  std::string resource;  // what it acts on, once decoded
  std::string actor;     // whom the audit entry names, when that is not the caller
  bool allowed = false;  // the gate was asked and said yes
  std::map<std::string, std::string> detail;  // further facts for its audit entry; never a secret

  bool is_local() const { return request.caller.door == Door::local; }
};

// Names an open call whose answer comes later. Answering it twice is harmless; never answering it
// ends in a timeout refusal at its deadline.
template <class M>
struct Ticket {
  std::uint64_t call = 0;
};

}  // namespace lepton::actor
