#pragma once
// TokenGate: who calls and what they may do, by the token in the header and the newest access rules
// of the vault. One thread. Until the first rules have come, clients are refused as unavailable;
// later, an absent vault stops nobody: the newest rules known stay in force.

#include "common/actor/ports.hpp"
#include "common/bus/access/verifier.hpp"

namespace lepton::service {

class TokenGate final : public actor::Gate {
 public:
  // A client without a token is known by its key alone: only open requests serve it.
  Result<actor::Caller> identify(std::string const& token, std::string const& key, WallMs now_ms);
  Status allow(actor::Caller const& caller, Verb verb, std::string_view resource) override;

  Status update(AccessSnapshot snapshot) { return verifier_.update(std::move(snapshot)); }
  std::uint64_t revision() const { return verifier_.revision(); }

 private:
  access::TokenVerifier verifier_;
};

}  // namespace lepton::service
