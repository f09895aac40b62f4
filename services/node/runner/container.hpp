#pragma once
// What the runner and the node know of attempts that are containers: the program that stands for
// such a task, how the container ended, and how to be sure that it is gone. Blocking.

#include <string>
#include <vector>

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

// Where the attempt's output folder is inside a container.
inline constexpr char const* container_out = "/out";
// And its working folder, where it has one.
inline constexpr char const* container_work = "/work";

// How a container ended, or why none ran: written by its watcher, read by the runner.
struct ContainerEnd {
  int exit_code = -1;
  bool oom_killed = false;
  std::string error;
};
Status write_container_end(AttemptFiles const& files, ContainerEnd const& end);
Result<ContainerEnd> read_container_end(AttemptFiles const& files);

// `programs`: the folder of lepton-container.
std::vector<std::string> container_command(std::string const& programs,
                                           std::string const& state_dir, RunSpec const& spec,
                                           Secrets const& secrets);

// The same for a container that has begun, and whose watcher died.
std::vector<std::string> watch_command(std::string const& programs, std::string const& state_dir,
                                       RunSpec const& spec);

// What became of the attempt's container; `none`: it never began, or is gone. `unavailable` when
// the engine does not say.
enum class Container : std::uint8_t { none, running, ended };
Result<Container> what_became_of(std::string const& programs, std::string const& state_dir,
                                 RunSpec const& spec);

// Ok: the engine has confirmed that the attempt's container is gone. `unavailable`: it has not, and
// the attempt must not pass for ended. Ok for a spec without an image.
Status end_container(std::string const& programs, std::string const& state_dir,
                     RunSpec const& spec);

// Other limits for a container that runs. `conflict`: it uses more memory than that.
Status resize_container(std::string const& programs, std::string const& state_dir,
                        RunSpec const& spec, RunLimits const& limits);
// How lepton-container says so, and what became of a container, by its exit status.
inline constexpr int exit_in_use = 3, exit_none = 4, exit_ended = 5;

// The folder of the running program.
std::string own_folder();

}  // namespace lepton::node
