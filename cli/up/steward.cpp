#include "cli/up/steward.hpp"

#include <fmt/format.h>

namespace lepton::cli {
namespace {

constexpr TimeMs vault_watch_every_ms = 2'000;
constexpr TimeMs renew_look_every_ms = 60'000;

}  // namespace

bool Steward::is_ready(std::string const& service, TimeMs limit_ms) {
  auto client = clients_.find(service);
  if (client == clients_.end()) {
    auto made = connect_to(plan_, service, false);
    if (!made) return false;
    client = clients_.emplace(service, std::move(*made)).first;
  }
  auto const health = client->second.call(HealthGet{service}, limit_ms);
  return health && health->ready;
}

Status Steward::open_up() {
  auto const opened = open_vault(plan_);
  if (!opened) return opened.error();
  vault_began_by_ = clock_.now_ms();
  if (*opened == Opened::fresh)
    say_(fmt::format("vault: created; its root key is {}, keep a copy elsewhere",
                     plan_.layout.root_key().string()));
  if (*opened == Opened::still_sealed) {
    say_(
        fmt::format("vault: stays sealed, because there is no root key in {}; run `lepton vault "
                    "unseal` and type it",
                    plan_.layout.root_key().string()));
    return ok();
  }
  if (auto const admin = renew_admin_token(plan_, clock_.wall_ms()); !admin) return admin.error();
  say_("vault: unsealed");
  auto const admitted = wait_until_admitted(plan_);
  return admitted ? put_node_policy(plan_) : admitted;
}

void Steward::step(TimeMs now) {
  watch_vault(now);
  reopen_vault();
  renew_tokens(now);
}

// A new process is sealed; so is a new life inside the same one, which begins when the database
// took rows back. When a process began is known within the time that its answer took: only what
// began surely after the one before is new, for a vault that a person sealed is not to be opened.
// The first one before is that which open_up() has opened, also if it fell before it was seen here.
void Steward::watch_vault(TimeMs now) {
  auto const client = clients_.find("vault");
  if (client == clients_.end() || now - vault_seen_at_ < vault_watch_every_ms) return;
  vault_seen_at_ = now;
  auto const asked_at = clock_.now_ms();
  auto const health = client->second.call(HealthGet{"vault"}, 300);
  if (!health || !health->counters.contains("lives")) return;
  auto const lives = health->counters.at("lives");
  bool const is_another = vault_began_by_ != 0 && asked_at - health->uptime_ms > vault_began_by_;
  if (is_another || (vault_lives_ != 0 && lives != vault_lives_)) vault_is_new_ = true;
  vault_lives_ = lives;
  vault_began_by_ = clock_.now_ms() - health->uptime_ms;
}

// Only after a new start: a vault that a person sealed stays sealed. The vault may have to wait for
// its database, whose keeper may be this thread: so the asking is done beside it.
void Steward::reopen_vault() {
  if (auto const opened = opening_.result()) {
    if (!*opened) {
      vault_is_new_ = true;
      say_("vault: cannot be unsealed: " + opened->error().what);
    } else if (**opened == Opened::still_sealed) {
      say_("vault: sealed; run `lepton vault unseal`");
    } else if (**opened == Opened::unsealed) {
      say_("vault: unsealed again");
    }
  }
  if (!vault_is_new_ || opening_.runs() || !is_ready("vault", 300)) return;
  vault_is_new_ = false;
  opening_.send([plan = plan_] { return open_vault(plan); });
}

// The node reads its token again by itself.
void Steward::renew_tokens(TimeMs now) {
  if (auto const renewed = renewing_.result())
    say_(*renewed ? std::string("tokens: renewed")
                  : "tokens: cannot be renewed: " + renewed->error().what);
  if (now - renewed_at_ < renew_look_every_ms || renewing_.runs()) return;
  renewed_at_ = now;
  auto const wall = clock_.wall_ms();
  bool const node = plan_.settings.node && is_stale(claims_in(plan_.layout.node_token()), wall);
  if (!node && !is_stale(claims_in(plan_.layout.admin_token()), wall)) return;
  renewing_.send([plan = plan_, wall, node]() -> Result<bool> {
    auto const admin = renew_admin_token(plan, wall);
    if (!admin || !node) return admin ? Result<bool>(false) : admin;
    return renew_node_token(plan, wall);
  });
}

}  // namespace lepton::cli
