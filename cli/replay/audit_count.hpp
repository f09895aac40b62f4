#pragma once
// Looks for requests in the audit log: the auditor follows the services by its cursor and is behind
// for a moment. One thread.

#include <set>
#include <string>

#include "cli/replay/report.hpp"
#include "common/base/time.hpp"
#include "common/bus/client.hpp"

namespace lepton::cli {

// Entries in the log now.
Result<std::uint64_t> audit_size(bus::Client& auditor, TimeMs timeout_ms);

// Reads the entries of `action` from `from` on until each of `ids` was seen, or the log has not
// grown for `patience_ms`. Fills the audit fields of the report.
Status count_audited(bus::Client& auditor, std::string const& action, std::uint64_t from,
                     std::set<std::string> ids, TimeMs patience_ms, ReplayReport& report);

}  // namespace lepton::cli
