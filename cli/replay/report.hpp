#pragma once
// What a replay found. Pure; any thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/output/table.hpp"
#include "common/schema/schema.hpp"

namespace lepton::cli {

struct ReplayReport {
  std::string pool;
  std::uint32_t nodes = 0;
  std::uint32_t pods = 0;
  std::uint32_t placed = 0;
  std::uint32_t refused = 0;
  std::uint32_t failed = 0;
  std::map<std::string, std::int32_t> failures;
  double gpus = 0;
  double gpus_free = 0;
  double unallocated_gpu_percent = 0;
  double seconds = 0;
  double submits_per_s = 0;
  double submit_to_placed_p50_ms = 0;
  double submit_to_placed_p99_ms = 0;
  std::uint32_t audit_entries = 0;
  std::uint32_t audit_missing = 0;
  std::uint32_t audit_doubled = 0;
  std::string audit_note;

  static consteval auto fields() {
    using schema::field;
    using R = ReplayReport;
    return schema::fields(
        field(1, "pool", &R::pool, "Pool of the simulated nodes."),
        field(2, "nodes", &R::nodes, "Nodes declared."),
        field(3, "pods", &R::pods, "Pods sent, each once."),
        field(4, "placed", &R::placed, "Pods that got a place at once."),
        field(5, "refused", &R::refused, "Pods that nothing could take."),
        field(6, "failed", &R::failed, "Pods without such an answer."),
        field(7, "failures", &R::failures, "Their errors and how often."),
        field(8, "gpus", &R::gpus, "GPUs of the nodes."),
        field(9, "gpus_free", &R::gpus_free, "Of these free at the end."),
        field(10, "unallocated_gpu_percent", &R::unallocated_gpu_percent, "The same in percent."),
        field(11, "seconds", &R::seconds, "From the first submit to the last answer."),
        field(12, "submits_per_s", &R::submits_per_s, "Answers in this time, per second."),
        field(13, "submit_to_placed_p50_ms", &R::submit_to_placed_p50_ms,
              "Median from sending to the answer that names the place, ms."),
        field(14, "submit_to_placed_p99_ms", &R::submit_to_placed_p99_ms, "99th percentile, ms."),
        field(15, "audit_entries", &R::audit_entries, "Submits found in the audit log."),
        field(16, "audit_missing", &R::audit_missing, "Acknowledged submits not found there."),
        field(17, "audit_doubled", &R::audit_doubled, "Submits found there twice."),
        field(18, "audit_note", &R::audit_note, "Why the log was not read, if so."));
  }
};
static_assert(schema::complete<ReplayReport>());

// Nearest rank; 0 for nothing. `fraction` in 0..1.
double percentile(std::vector<double>& values, double fraction);
Table report_sheet(ReplayReport const& report);

}  // namespace lepton::cli
