#pragma once
// Steward: what a running control plane needs of its administrator again and again: the vault made
// and unsealed, the rules of access known everywhere, the tokens of the administrator and of the
// node kept fresh. Part of the supervisor of `lepton up`; alone in `lepton stack tend`, where
// something else keeps the programs running. Events for people go to the callback, one line each.
// One thread, the one that made it; what may take long is asked beside it. Times in ms.

#include <functional>
#include <map>
#include <string>

#include "cli/up/access.hpp"
#include "cli/up/errand.hpp"

namespace lepton::cli {

class Steward {
 public:
  using Say = std::function<void(std::string const&)>;

  // The plan outlives it.
  Steward(StackPlan const& plan, Say say) : plan_(plan), say_(std::move(say)) {}

  // Whether it answers that it serves.
  bool is_ready(std::string const& service, TimeMs limit_ms);
  // Its key in the plan has changed.
  void forget(std::string const& service) { clients_.erase(service); }

  // Seal, tokens, rules; when all services answer.
  Status open_up();
  // For who knows before step() sees it.
  void vault_began_anew() { vault_is_new_ = true; }
  // Unseals a vault that began anew, renews tokens that end soon. Call it about twice a second.
  void step(TimeMs now);

 private:
  void watch_vault(TimeMs now);
  void reopen_vault();
  void renew_tokens(TimeMs now);

  StackPlan const& plan_;
  Say say_;
  SystemClock clock_;
  std::map<std::string, bus::Client> clients_;
  bool vault_is_new_ = false;  // it began anew and may be sealed
  std::int64_t vault_lives_ = 0;
  TimeMs vault_began_by_ = 0;  // at the latest
  TimeMs vault_seen_at_ = 0;
  TimeMs renewed_at_ = 0;
  Errand<Result<Opened>> opening_;
  Errand<Result<bool>> renewing_;
};

}  // namespace lepton::cli
