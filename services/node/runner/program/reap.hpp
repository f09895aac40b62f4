#pragma once
// Ends everything below this process. The process is a subreaper, so what its descendants orphan,
// also after setsid, comes back to it; when it has no child left, nothing of the attempt lives.

#include <cstdint>

namespace lepton::node {

// SIGKILL until no child is left. False when some process outlived that for `patience_ms`.
bool end_descendants(std::int64_t patience_ms);

void kill_descendants();  // one pass, no wait

}  // namespace lepton::node
