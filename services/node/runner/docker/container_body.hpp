#pragma once
// What Docker is asked to create for an attempt, and what it says about the container, as JSON
// (Docker Engine API 1.41). Pure. The body holds no value of a variable: those reach the container
// through a pipe (container_pipe.hpp), because the engine writes the body to its disk.

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

struct ContainerPlace {
  std::string box;           // folder with the two pipes
  std::string init;          // lepton-init on this machine
  std::string out;           // output folder of the attempt
  std::string work;          // its working folder; empty: none
  std::string user;          // "uid:gid"
  bool has_secrets = false;  // then /run/secrets is a tmpfs of the container
  std::string image = {};    // its identity, which is what runs whatever its name means by then
};

std::string container_name(std::string_view attempt);
std::string create_body(RunSpec const& spec, ContainerPlace const& place);

// For an update while it runs: memory without swap beside it, CPU.
std::string resize_body(RunLimits const& limits);
// What it uses, without the cached files that the kernel can drop at once; from its statistics.
Result<std::int64_t> memory_in_use_mib(std::string const& statistics);

// A command in the container, under lepton-init, with all three streams.
std::string exec_body(std::vector<std::string> const& command);
Result<std::string> exec_id(std::string const& answer);
// Nothing while it runs.
Result<std::optional<int>> exec_exit_code(std::string const& inspected);

struct ContainerState {
  bool running = false;
  bool oom_killed = false;
  int exit_code = -1;
  std::string error;
};
Result<ContainerState> container_state(std::string const& inspected);

// What became of the attempt's own container, by its labels. One that was only created is none:
// what it says of its end means nothing.
Result<Container> find_own(std::string const& inspected, RunSpec const& spec);

// The engine streams its progress; a pull that failed ends with an "error".
Status pulled(std::string const& progress);

// "name:tag" or "name@digest"; without either the tag is `latest`. Percent-encoded for a query.
std::string pull_query(std::string const& image);

}  // namespace lepton::node
