#pragma once
// What a verifier asks of an auditor that it does not trust: a running service, or a log in memory
// for tests.

#include <functional>

#include "common/base/result.hpp"
#include "schemas/auditor.hpp"

namespace lepton::cli {

struct LogSource {
  std::function<Result<AuditPage>(std::uint64_t from, std::uint32_t limit)> page;
  std::function<Result<AuditCheckpointText>()> checkpoint;
  std::function<Result<AuditConsistencyProof>(std::uint64_t old_size, std::uint64_t new_size)>
      consistency;
};

}  // namespace lepton::cli
