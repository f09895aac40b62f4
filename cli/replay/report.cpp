#include "cli/replay/report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lepton::cli {

double percentile(std::vector<double>& values, double fraction) {
  if (values.empty()) return 0;
  auto const rank =
      static_cast<std::ptrdiff_t>(std::ceil(fraction * static_cast<double>(values.size())));
  auto const at = values.begin() + std::clamp<std::ptrdiff_t>(rank - 1, 0, std::ssize(values) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Table report_sheet(ReplayReport const& r) {
  auto sheet = Table::sheet();
  sheet.row({"POOL", r.pool})
      .row({"NODES", fmt::format("{} with {:g} GPUs", r.nodes, r.gpus)})
      .row({"PODS", std::to_string(r.pods)})
      .row({"PLACED", std::to_string(r.placed)})
      .row({"REFUSED", std::to_string(r.refused)});
  if (r.failed > 0) sheet.row({"FAILED", std::to_string(r.failed)});
  for (auto const& [what, count] : r.failures) sheet.row({"", fmt::format("{} x {}", count, what)});
  sheet
      .row({"GPU UNALLOCATED", fmt::format("{:.2f} % ({:.1f} of {:g})", r.unallocated_gpu_percent,
                                           r.gpus_free, r.gpus)})
      .row({"SUBMITS", fmt::format("{:.0f}/s over {:.2f} s", r.submits_per_s, r.seconds)})
      .row({"SUBMIT TO PLACED", fmt::format("p50 {:.2f} ms, p99 {:.2f} ms",
                                            r.submit_to_placed_p50_ms, r.submit_to_placed_p99_ms)});
  if (!r.audit_note.empty()) return sheet.row({"AUDIT ENTRIES", "not known: " + r.audit_note});
  auto audit = fmt::format("{} submits", r.audit_entries);
  if (r.audit_missing > 0) audit += fmt::format(", {} MISSING", r.audit_missing);
  if (r.audit_doubled > 0) audit += fmt::format(", {} TWICE", r.audit_doubled);
  if (r.audit_missing + r.audit_doubled == 0) audit += ", each acknowledged one exactly once";
  return sheet.row({"AUDIT ENTRIES", audit});
}

}  // namespace lepton::cli
