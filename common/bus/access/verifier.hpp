#pragma once
// TokenVerifier: checks callers by the newest AccessSnapshot and remembers which tokens were good,
// because a signature check costs 130 us and a message only a few. Bounded, least recently used
// out first; only good tokens enter, under the hash of token and key, so that no token stays in
// memory. Emptied at each new revision; time and key are checked at each use. One thread.

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/bus/access/policy.hpp"
#include "common/bus/access/token.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::access {

class TokenVerifier {
 public:
  using Claims = std::shared_ptr<TokenClaims const>;

  explicit TokenVerifier(std::size_t capacity = 4096);

  // The same revision again changes nothing. An older one is refused (conflict): it would undo
  // revocations. After a refusal the rules before it stay in force.
  Status update(AccessSnapshot snapshot);
  std::uint64_t revision() const { return snapshot_.revision; }

  // Who calls, by a token or its name (token_name.hpp). `unavailable` until the first snapshot
  // arrived; `not_found` for a name that is not known; else `denied` with the reason.
  Result<Claims> check(std::string_view token, std::string_view presented_key, WallMs now_ms);

  // May this caller do it? `denied` with the deciding rule.
  Status authorize(TokenClaims const& claims, ResourcePath const& path, Verb verb) const;
  PolicySet const& policies() const { return policies_; }

  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }
  std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    crypto::Hash hash;
    std::string key;
    Claims claims;
  };
  struct FirstOctets {
    std::size_t operator()(crypto::Hash const& hash) const;
  };

  void remember(Entry entry);

  std::size_t capacity_;
  AccessSnapshot snapshot_;
  PolicySet policies_;
  std::optional<crypto::VerifyKey> vault_;
  std::list<Entry> order_;  // most recently used first
  std::unordered_map<crypto::Hash, std::list<Entry>::iterator, FirstOctets> places_;
  std::uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace lepton::access
