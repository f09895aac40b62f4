#pragma once
// The two pipes between a container and the program that watches it, in a folder of the attempt:
//   env  to the container: its variables and secrets, once. They are never in a file, nor in what
//        the engine knows; a pipe's content lives in the kernel's memory.
//   log  from the container: what it prints, so that Lepton's limit on logs holds and the engine
//        writes no second copy.
// The frame on `env`: the length in ten digits and a newline, then entries that end with NUL: 'e'
// or, for a secret, 's', and NAME=VALUE. lepton-init (init.cpp) reads it.

#include <string>
#include <vector>

#include "services/node/runner/files.hpp"
#include "services/node/runner/users.hpp"

namespace lepton::node {

// `lines`: NAME=VALUE; those whose name is in `secrets` are marked. The result holds secrets.
std::string environment_frame(std::vector<std::string> const& lines,
                              std::vector<std::string> const& secrets);

// Whether what was filled in has not been read yet, by `env` that is still there.
bool waits_for_environment(std::string const& folder);

struct ContainerPipes {
  std::string folder;
  Fd env;  // both ends stay open here, so that neither side waits for the other
  Fd log;  // nonblocking

  static Result<ContainerPipes> make(std::string const& folder, uid_t uid, gid_t gid);
  // Those of a container that has begun: `log` alone.
  static Result<ContainerPipes> found(std::string const& folder);
  // Before the container starts: all of it fits, or `exhausted`.
  Status fill(std::string const& frame);
  // True once the container has read it; then `env` is gone.
  bool is_read();
};

}  // namespace lepton::node
