#pragma once
// ContainerRun: one attempt as a Docker container, from pull to removal, watched by this process,
// or by another one from where the first was killed.
// The runner program above it keeps the lease, the limits of time and the log; what it sends here
// is SIGTERM, which goes on to the container. One thread, and a second one that waits for the end.

#include <thread>

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/docker/container_body.hpp"
#include "services/node/runner/docker/container_pipe.hpp"
#include "services/node/runner/docker/docker_api.hpp"

namespace lepton::node {

class ContainerRun {
 public:
  ContainerRun(AttemptFiles files, RunSpec spec, std::vector<std::string> secrets)
      : files_(std::move(files)),
        spec_(std::move(spec)),
        secrets_(std::move(secrets)),
        docker_(spec_.engine_socket),
        path_("/containers/" + container_name(spec_.attempt)) {}

  // Writes how it ended to the attempt's `container` file. `lines`: the task's environment, wiped.
  int run(std::vector<std::string>& lines, std::string const& init);
  // Of one that has begun already, and whose watcher died.
  int run_on();

 private:
  Status begin(std::vector<std::string>& lines, std::string const& init);
  Result<ContainerPlace> prepare(std::vector<std::string>& lines, std::string const& init);
  int to_its_end();
  Result<ContainerState> watch();
  bool pass_on_term() const;
  void relay();
  Result<ContainerState> ended() const;
  int tell(Result<ContainerState> const& state);

  AttemptFiles files_;
  RunSpec spec_;
  std::vector<std::string> secrets_;
  DockerApi docker_;
  std::string path_;
  ContainerPipes pipes_;
  Fd signals_;
};

}  // namespace lepton::node
