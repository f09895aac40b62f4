#pragma once
// Execs: commands that people run beside tasks of this node. An order is claimed at the deployer
// first: only its yes lets the command begin, so that an order that is told twice, or too late,
// runs nothing twice. Then output and input go in numbered parts; the command waits while nobody
// takes what it prints. A command ends with its task, at its limit of time, when the deployer says
// so or knows nothing of it, and when the deployer does not answer. A part of the node's actor, on
// its thread.

#include <deque>
#include <map>
#include <memory>

#include "common/actor/actor.hpp"
#include "schemas/exec.hpp"
#include "services/node/exec/executor.hpp"

namespace lepton::node {

class Execs {
 public:
  // The executor may be empty: this node runs none.
  Execs(NodeId node, std::shared_ptr<Executor> executor)
      : node_(std::move(node)), executor_(std::move(executor)) {}
  Execs(Execs const&) = delete;
  ~Execs();  // whatever runs is stopped

  void take(ExecOrder const& order, std::string const& incarnation, actor::Context& c);

 private:
  struct Entry {
    ExecOrder order;
    std::string incarnation;  // that has claimed it
    bool begun = false;
    TimeMs until = 0;              // its limit
    TimeMs heard_at = 0;           // the deployer
    std::deque<ExecPiece> output;  // not yet acknowledged
    std::int64_t output_offset = 0, output_bytes = 0;
    std::int64_t input_taken = 0;
    bool input_ended = false;
    bool is_starved = false;  // there is input that had no room here
    ExecEnd end;
    bool has_news = true;
    std::size_t asks_out = 0;
  };

  void ask(std::string const& exec, actor::Context& c);
  void answered(std::string const& exec, ExecReport const& told, Result<ExecInput> const& answer,
                actor::Context& c);
  void ask_later(std::string const& exec, actor::Context& c);
  void refused(std::string const& exec, Error const& error, actor::Context& c);
  void begin(Entry& entry, actor::Context& c);
  void take_input(Entry& entry, ExecInput const& answer);
  void look(actor::Context& c);
  bool fetch(Entry& entry);
  void drop(std::string const& exec);

  NodeId node_;
  std::shared_ptr<Executor> executor_;
  std::map<std::string, Entry> entries_;
  bool looking_ = false;
};

}  // namespace lepton::node
