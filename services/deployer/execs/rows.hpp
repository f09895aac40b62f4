#pragma once
// The row of a command that runs beside a task: there from its beginning to its end, so that each
// has one end in the audit log, whatever becomes of this process.

#include <string>

#include "common/schema/schema.hpp"
#include "schemas/ids.hpp"

namespace lepton::deployer {

struct ExecRow {
  static constexpr std::string_view table = "exec";
  std::string exec;
  JobId job;
  std::string path;
  AttemptId attempt;
  NodeId node;
  std::string person;
  std::int64_t started_at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = ExecRow;
    return schema::fields(
        field(1, "exec", &R::exec, "Identity.").key(), field(2, "job", &R::job, "The job."),
        field(3, "path", &R::path, "The job as a resource path."),
        field(4, "attempt", &R::attempt, "Beside which task it runs."),
        field(5, "node", &R::node, "Where."), field(6, "person", &R::person, "Who began it."),
        field(7, "started_at_ms", &R::started_at_ms, "When, ms since 1970."));
  }
};
static_assert(schema::complete<ExecRow>());

}  // namespace lepton::deployer
