#pragma once
// Requests that this process has sent and waits for. Each ends exactly once: answered, refused, or
// timed out. A request without an answer is sent again under the same id (the other side knows
// mutations by it) with jittered exponential backoff, within a retry budget of 10 % of the asks; a
// fixed credit window per peer bounds what is out at once. Pure: time and chance come in; the
// system owns it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/actor/outbox.hpp"
#include "common/base/random.hpp"

namespace lepton::actor {

class Asks {
 public:
  struct Settings {
    std::size_t window = 1024;     // asks out at once per peer
    TimeMs resend_first_ms = 400;  // doubles, with full jitter
    TimeMs resend_max_ms = 5'000;
    double budget_ratio = 0.1;  // resends earned by each ask
    double budget_floor_per_s =
        10.0;  // resends earned by time, so that a quiet service can recover
  };
  struct Ask {
    std::string id;
    std::string peer;
    std::string topic;
    std::string body;
    TimeMs deadline_at = 0;
    std::uint32_t attempt = 1;
    TimeMs patience_ms = 0;  // before it may count as unanswered
    TimeMs resend_at = 0;
    std::size_t host = 0;    // who asked
    std::uint64_t life = 0;  // in which life
    std::function<void(Answer const&, Context&)> then;
  };

  explicit Asks(Settings settings) : settings_(settings) {}

  bool has_credit(std::string const& peer) const;
  Ask const& add(Ask ask, TimeMs now, Chance& chance);
  Ask const* find(std::string const& id) const;
  std::optional<Ask> take(std::string const& id);  // answered
  // Asks whose deadline has passed, removed; and those to send again now.
  std::vector<Ask> expired(TimeMs now);
  std::vector<Ask const*> resends(TimeMs now, Chance& chance);
  std::optional<TimeMs> next_at() const;
  std::size_t size() const { return asks_.size(); }

 private:
  void reschedule(Ask& ask, TimeMs at);
  Settings settings_;
  double budget_ = 10.0;
  TimeMs budget_at_ = 0;
  std::map<std::string, Ask> asks_;
  std::map<std::string, std::size_t> out_;     // per peer
  std::multimap<TimeMs, std::string> agenda_;  // next resend or deadline
};

}  // namespace lepton::actor
