#pragma once
// Execs: commands that people run beside tasks (`lepton exec`). Stands between the person and the
// node with one bounded buffer for each direction; neither side is answered before it must be, so
// that bytes flow as fast as the slower one takes them
// (docs/decisions/0012-commands-beside-tasks.md). What goes through is kept nowhere; a row says
// that a command runs, so that its end is audited once, also by a later life: that life ends them
// all.
//
// A command ends with its task (the node says so), at its limits, when the person's program is
// silent for 15 s, and when its node is. A part of the deployer, on its thread.

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "schemas/node.hpp"
#include "services/deployer/execs/rows.hpp"
#include "services/deployer/relay.hpp"

namespace lepton::deployer {

struct ExecLimits {
  std::size_t per_person = 8, per_node = 8, in_all = 200;  // that run at one time
  std::size_t kept_per_person = 32;     // with those whose end is still to be heard
  std::int64_t buffer_bytes = 262'144;  // of each direction
  std::int64_t input_bytes = 64 << 20;
  std::int64_t output_bytes = 256 << 20;
  TimeMs silence_ms = 15'000;  // of the person's program or the node
  TimeMs kept_ms = 600'000;    // after its end, for a person who reads slowly
};

class Execs {
 public:
  explicit Execs(Relay::Tasks& tasks, ExecLimits limits = {}) : tasks_(tasks), limits_(limits) {}

  static std::vector<store::Table const*> tables();
  void restore(actor::Rows const& rows);
  void start(actor::Context& c);

  Result<ExecOpened> open(JobExec const& m, actor::Context& c);
  void talk(ExecTalk const& m, actor::Ticket<ExecTalk> ticket, actor::Context& c);
  void report(ExecReport const& m, actor::Ticket<ExecReport> ticket, actor::Context& c);

  // Those that nobody has claimed; each is told again after a while only, so that all are news.
  void give(NodeId const& node, NodeOrders& orders, TimeMs now);
  static bool is_news(NodeOrders const& orders) { return !orders.execs.empty(); }
  std::int64_t running() const;

 private:
  template <class M>
  struct Parked {
    actor::Ticket<M> ticket;
    TimeMs until = 0;
  };
  struct Session {
    ExecRow row;
    std::vector<std::string> command;
    std::int64_t limit_ms = 0;
    TimeMs opened_at = 0, told_at = 0, person_at = 0, node_at = 0, ending_since = 0, ended_at = 0;
    std::string incarnation;  // of the node that has claimed it
    std::deque<ExecPiece> output;
    std::int64_t output_offset = 0, output_bytes = 0;  // of what is here
    std::string input;
    std::int64_t input_offset = 0, input_told = 0;
    bool input_ended = false, input_end_told = false;
    std::string stop_why;  // empty: it may run
    bool is_full(std::int64_t bytes_max) const;
    ExecEnd end;
    std::optional<Parked<ExecTalk>> talk;
    std::optional<Parked<ExecReport>> report;
  };

  Result<Session*> find(ExecTalk const& m, actor::Context& c);
  Status check_room(std::string const& person, NodeId const& node) const;
  void take_input(Session& s, ExecTalk const& m, actor::Context& c);
  bool take_output(Session& s, ExecReport const& m, actor::Context& c);
  Status claim(Session& s, ExecReport const& m, actor::Context& c);
  ExecHeard heard(Session const& s) const;
  ExecInput input_for(Session const& s) const;
  void answer_person(Session& s, actor::Context& c);
  void answer_node(Session& s, actor::Context& c);
  void stop(Session& s, std::string const& why, actor::Context& c);
  void end(Session& s, ExecEnd const& end, actor::Context& c);
  void tick(actor::Context& c);
  void look_at(Session& s, actor::Context& c);

  Relay::Tasks& tasks_;
  ExecLimits limits_;
  std::map<std::string, Session> sessions_;
  std::vector<ExecRow> orphans_;  // of an earlier life
  bool ticking_ = false;
};

}  // namespace lepton::deployer
