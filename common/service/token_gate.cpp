#include "common/service/token_gate.hpp"

namespace lepton::service {

Result<actor::Caller> TokenGate::identify(std::string const& token, std::string const& key,
                                          WallMs now_ms) {
  actor::Caller caller{actor::Door::client, "key:" + key, key, {}, {}};
  if (token.empty()) return caller;
  auto claims = verifier_.check(token, key, now_ms);
  if (!claims) return claims.error();
  caller.name = (*claims)->subject;
  caller.policies = (*claims)->policies;
  caller.token = (*claims)->token;
  return caller;
}

Status TokenGate::allow(actor::Caller const& caller, Verb verb, std::string_view resource) {
  if (caller.token.empty())
    return Error{Code::denied,
                 "this request needs a token; give one with --token-file or make one with "
                 "`lepton token create`"};
  auto path = access::ResourcePath::parse(resource);
  if (!path) return path.error();
  auto const decision = verifier_.policies().decide(caller.name, caller.policies, *path, verb);
  if (decision.allowed) return ok();
  return Error{Code::denied,
               verifier_.policies().explain(caller.name, caller.policies, *path, verb)};
}

}  // namespace lepton::service
