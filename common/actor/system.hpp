#pragma once
// System: the actors of one process, the asks between them and to other services, and their
// supervision. Threads: one; the service's loop (common/service) or the simulated world
// (common/sim) calls deliver and step.

#include <memory>
#include <string>
#include <vector>

#include "common/actor/asks.hpp"
#include "common/actor/host.hpp"

namespace lepton::actor {

enum class Strategy : std::uint8_t { one_for_one, rest_for_one };

struct SystemSettings {
  std::string service;  // name at the peer door
  Strategy strategy = Strategy::one_for_one;
  Asks::Settings asks;
  TimeMs head_every_ms = 500;  // heads are announced so often, so that a lost last hint is noticed
};

class System final : public HostOwner {
 public:
  System(SystemSettings settings, Ports ports);
  ~System() override;

  void add(std::string name, Factory make, HostSettings settings);
  void start();

  // From the wire. A request goes to the actor that its topic begins with: "deployer.job.submit" to
  // "deployer"; a platform request to the one that it names.
  void deliver_request(Request request);
  void deliver_reply(std::string const& peer, Header const& header, std::string body);
  void deliver_hint(Hint const& hint);

  bool step();
  std::optional<TimeMs> next_at() const;
  void stop();
  bool is_stopped() const;
  std::optional<std::string> gave_up() const { return gave_up_; }

  Host& host(std::string const& name);
  std::vector<std::unique_ptr<Host>> const& hosts() const { return hosts_; }
  std::int64_t late_replies() const { return late_replies_; }

  // Down{actor} reaches `watcher` each time `actor` fails.
  void watch(std::string watcher, std::string actor);

  void begin_ask(std::size_t host, std::uint64_t life, AskDraft draft) override;
  void deliver_answer(AnswerDraft answer) override;
  void host_down(std::size_t host, std::string const& reason) override;
  void give_up(std::string const& why) override;

 private:
  Host* find_host(std::string_view name);
  std::string service_of(Request const& request) const;
  void finish(Asks::Ask ask, Answer answer);
  void send(Asks::Ask const& ask);
  void step_asks(TimeMs now);
  void announce_heads(TimeMs now);

  SystemSettings settings_;
  Ports ports_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::pair<std::string, std::string>> watches_;  // watcher, watched
  Asks asks_;
  TimeMs heads_at_ = 0;
  std::int64_t late_replies_ = 0;
  std::optional<std::string> gave_up_;
  bool stopping_ = false;
};

}  // namespace lepton::actor
