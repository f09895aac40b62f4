#pragma once
// What the node and a new runner tell each other over an inherited socket: first the secrets, then
// end of stream, then the runner's report. Secrets never touch argv, an environment or a disk here.

#include "common/base/result.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

inline constexpr int launch_fd = 3;  // the socket's number in the runner

// `internal` when the other side was killed on the way, or says nothing for that long.
Status send_secrets(int socket, Secrets const& secrets);
Result<Secrets> receive_secrets(int socket, std::int64_t timeout_ms);

Status send_report(int socket, Status const& report);
Status receive_report(int socket, std::int64_t timeout_ms);

}  // namespace lepton::node
