#pragma once
// Relay: what people ask of a task on its node. A wish travels with the answer of the node's sync,
// once, and its result comes with a later sync; a wish that is lost on the way ends at its time. A
// part of the deployer, on its thread.

#include <map>

#include "common/actor/actor.hpp"
#include "schemas/node.hpp"

namespace lepton::deployer {

struct TaskPlace {
  JobId job;
  std::string path;  // of the job, as a resource
  AttemptId attempt;
  NodeId node;
  AttemptState state = AttemptState::unknown;
};

// The number of a question to a node. By chance: a node may still hold the answer to a question of
// an earlier life, and it must fit none of this one's.
std::uint64_t new_ticket(actor::Context& c);

class Relay {
 public:
  // What this part needs of jobs and nodes.
  class Tasks {
   public:
    virtual ~Tasks() = default;
    // Found, and the caller has the right. `conflict`: it never started; `unavailable`: its node is
    // silent; `not_found`: it is gone.
    virtual Result<TaskPlace> task_place(JobId const& job, std::uint32_t task, Verb verb,
                                         actor::Context& c) = 0;
    virtual void wake_node(NodeId const& node, actor::Context& c) = 0;
  };

  explicit Relay(Tasks& tasks) : tasks_(tasks) {}

  void list(JobOutputs const& m, actor::Ticket<JobOutputs> ticket, actor::Context& c);
  void read(JobOutputRead const& m, actor::Ticket<JobOutputRead> ticket, actor::Context& c);

  void take(NodeSync const& m, actor::Context& c);    // results
  void give(NodeId const& node, NodeOrders& orders);  // wishes, for the next answer
  static bool is_news(NodeOrders const& orders) { return !orders.outputs.empty(); }

 private:
  struct Wish {
    NodeId node;
    // One of them.
    std::optional<actor::Ticket<JobOutputs>> list;
    std::optional<actor::Ticket<JobOutputRead>> read;
  };
  Status check_room() const;
  std::uint64_t open(Wish wish, actor::Context& c);
  std::optional<Wish> close(NodeId const& from, std::uint64_t number);

  Tasks& tasks_;
  std::map<std::uint64_t, Wish> wishes_;
  std::map<NodeId, std::vector<OutputOrder>> waiting_;
};

}  // namespace lepton::deployer
