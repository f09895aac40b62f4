#include "services/node/runner/docker/container_find.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/docker/container_body.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t limit_ms = 3'000;  // the node's measurement waits for it

}  // namespace

Result<pid_t> container_pid(std::string const& inspected) {
  auto const tree = codec::parse_json(inspected);
  auto const* state = tree ? tree->find("State") : nullptr;
  auto const* pid = state ? state->find("Pid") : nullptr;
  auto const number = pid ? text::parse_int(pid->scalar) : std::nullopt;
  if (!number || *number < 0 || *number > 1 << 22)
    return Error{Code::unavailable, "Docker does not tell the process of the container"};
  return static_cast<pid_t>(*number);
}

Result<std::optional<pid_t>> find_container(DockerApi const& docker, std::string const& state_dir,
                                            std::string const& attempt) {
  using Found = std::optional<pid_t>;
  auto const spec = read_spec(AttemptFiles(state_dir, attempt));
  if (!spec) return Error{Code::unavailable, spec.error().what};
  if (spec->image.empty()) return Found();
  auto const inspected = docker.get("/containers/" + container_name(attempt) + "/json", limit_ms);
  if (!inspected && inspected.error().code == Code::not_found) return Found(0);
  if (!inspected) return inspected.error();
  auto const pid = container_pid(*inspected);
  if (!pid) return pid.error();
  return Found(*pid);
}

}  // namespace lepton::node
