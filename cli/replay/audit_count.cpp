#include "cli/replay/audit_count.hpp"

#include <chrono>
#include <thread>

#include "cli/connect.hpp"
#include "schemas/auditor.hpp"

namespace lepton::cli {
namespace {

constexpr std::uint32_t page_limit = 500;
constexpr TimeMs page_timeout_ms = 60'000;
constexpr auto poll_pause = std::chrono::milliseconds(50);

}  // namespace

Result<std::uint64_t> audit_size(bus::Client& auditor, TimeMs timeout_ms) {
  auto const page = auditor.call(AuditTail{0, 1}, timeout_ms);
  if (!page) return page.error();
  return page->size;
}

Status count_audited(bus::Client& auditor, std::string const& action, std::uint64_t from,
                     std::set<std::string> ids, TimeMs patience_ms, ReplayReport& report) {
  SystemClock const clock;
  std::set<std::string> seen;
  AuditTail question{from, page_limit};
  question.action = action;
  for (auto news_at = clock.now_ms(); !ids.empty();) {
    auto const page = auditor.call(question, page_timeout_ms);
    if (!page) {  // while it starts again it is asked again
      if (!is_passing(page.error().code) || clock.now_ms() - news_at > patience_ms)
        return page.error();
      std::this_thread::sleep_for(poll_pause);
      continue;
    }
    for (auto const& entry : page->entries) {
      if (seen.contains(entry.request_id)) ++report.audit_doubled;
      if (ids.erase(entry.request_id) == 0) continue;
      seen.insert(entry.request_id);
      ++report.audit_entries;
    }
    if (page->next > question.from) news_at = clock.now_ms();
    question.from = page->next;
    if (clock.now_ms() - news_at > patience_ms) break;
    if (page->entries.empty()) std::this_thread::sleep_for(poll_pause);
  }
  report.audit_missing = static_cast<std::uint32_t>(ids.size());
  return ok();
}

}  // namespace lepton::cli
