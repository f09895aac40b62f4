#pragma once
// Another size for the running tasks of a job. Until every node has said that the new limits hold,
// each task holds the larger of both sizes, so that nobody is given what it may still use. A node
// that refuses sends all tasks back to where they were. Each order has a ticket, and only a report
// with that ticket answers it: a node that says that the old size holds may still get, or be at,
// the order before. Pure; the deployer stores Resizing and counts who has answered anew in each
// life, from reports that are repeated.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/resize.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

struct Resizing {
  TaskSize from;
  TaskSize to;
  bool back = false;
  std::string why;
  std::uint64_t ticket = 0;
  std::string trouble;

  bool operator==(Resizing const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = Resizing;
    return schema::fields(
        field(1, "from", &R::from, "What each task had before."),
        field(2, "to", &R::to, "What each task shall have."),
        field(3, "back", &R::back, "A node refused: all go back."),
        field(4, "why", &R::why, "Who refused, and why."),
        field(5, "ticket", &R::ticket, "Of the order that is given now.").since(5),
        field(6, "trouble", &R::trouble, "Why a node has not obeyed it yet.").since(5));
  }
};
static_assert(schema::complete<Resizing>());

inline TaskSize const& target(Resizing const& r) {
  return r.back ? r.from : r.to;
}
TaskSize larger(TaskSize const& a, TaskSize const& b);

// The size that is meant, where 0 keeps what is; an error when there is nothing to change, or a
// limit would be set where there was none.
Result<TaskSize> meant(TaskSize const& has, TaskSize const& asked);

// Takes one node's word. True when it is the first to refuse: the others are told to go back.
bool take_size(Resizing& r, std::set<std::uint32_t>& agreed, std::uint32_t task,
               SizeReport const& report, std::string const& node);
// Every task that lives has the size that is meant now.
bool is_over(std::set<std::uint32_t> const& agreed, std::vector<std::uint32_t> const& live);

}  // namespace lepton::deployer
