#pragma once
// Stack: all parts of a control plane on one machine, from start to stop: PostgreSQL, the services,
// the vault's seal, the tokens, the node. It stops in the opposite direction, each part with a
// deadline; tasks keep running. One thread, the one that made it (its children die with that
// thread). Events for people go to the callback, one line each. Times in ms.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/up/database.hpp"
#include "cli/up/keeper.hpp"
#include "cli/up/signals.hpp"
#include "cli/up/steward.hpp"

namespace lepton::cli {

inline constexpr TimeMs ready_limit_ms = 30'000;
inline constexpr TimeMs stop_limit_ms = 10'000;

class Stack {
 public:
  using Say = std::function<void(std::string const&)>;

  // `plan` without keys: they are read, or made at the first start.
  Stack(StackPlan plan, Signals& signals, Say say)
      : plan_(std::move(plan)), signals_(signals), say_(std::move(say)), steward_(plan_, say_) {}
  ~Stack() { stop(); }
  Stack(Stack const&) = delete;
  Stack& operator=(Stack const&) = delete;

  // Everything answers, or nothing is left running.
  Status start();
  // Until a stop is asked for (ok) or a part cannot be kept (its error).
  Status supervise();
  void stop();
  StackPlan const& plan() const { return plan_; }

 private:
  Status end_previous();
  Status start_database();
  Status start_balancer();
  Status start_services();
  Status start_node();
  Status wait_until_ready(std::string const& service);

  Status look_after_database();
  Status restart_database();
  Status look_after(Keeper& keeper);
  void know_key(std::string const& name);
  void rotate_logs(TimeMs now);

  StackPlan plan_;
  Signals& signals_;
  Say say_;
  Steward steward_;
  SystemClock clock_;
  std::optional<Database> database_;
  actor::Intensity database_restarts_{restarts_max, restarts_period_ms};
  std::vector<Keeper> keepers_;  // in the order of start
  TimeMs rotated_at_ = 0;
};

}  // namespace lepton::cli
