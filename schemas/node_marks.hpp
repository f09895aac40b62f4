#pragma once
// Messages about what people say of nodes: labels and taints. They are durable, outweigh what a
// node says of itself, and are kept when the node restarts. The deployer owns and serves them.

#include <map>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/constraints.hpp"
#include "schemas/ids.hpp"

namespace lepton {

struct NodeMarked {
  NodeId node;
  std::map<std::string, std::string> labels;
  std::vector<Taint> taints;

  static consteval auto fields() {
    using schema::field;
    using T = NodeMarked;
    return schema::fields(field(1, "node", &T::node, "Name."),
                          field(2, "labels", &T::labels, "All its labels now."),
                          field(3, "taints", &T::taints, "All its taints now."));
  }
};
static_assert(schema::complete<NodeMarked>());
// Changes what is named and leaves the rest. What runs there goes on.
struct NodeMark {
  static constexpr std::string_view topic = "deployer.node.mark";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = NodeMarked;
  NodeId node;
  std::map<std::string, std::string> labels;
  std::vector<std::string> labels_removed;
  std::vector<Taint> taints;
  std::vector<std::string> taints_removed;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeMark;
    return schema::fields(
        field(1, "node", &T::node, "Name."),
        field(2, "labels", &T::labels, "Labels to set.").optional(),
        field(3, "labels_removed", &T::labels_removed,
              "Keys of labels to take away; what the node says of itself comes back.")
            .optional(),
        field(4, "taints", &T::taints, "Taints to set; one of the same key is replaced.")
            .optional(),
        field(5, "taints_removed", &T::taints_removed, "Keys of taints to take away.").optional());
  }
};
static_assert(schema::complete<NodeMark>());

}  // namespace lepton
