#pragma once
// ImagePull: sees to it that the engine has an attempt's image, and that who brings these
// credentials may run it. What is here and open to them is not asked for again. Blocking, an hour
// at most; prints to the task's log what takes long. Part of lepton-container.

#include "services/node/runner/docker/docker_api.hpp"
#include "services/node/runner/docker/image_access.hpp"

namespace lepton::node {

class ImagePull {
 public:
  ImagePull(DockerApi const& docker, std::string const& state_dir)
      : docker_(docker), access_(state_dir) {}

  // Its identity, by which it is to be started: a name may lead elsewhere a moment later.
  Result<std::string> have(std::string const& image, Secret<> const& credentials);

 private:
  // `not_found`: the engine does not have it.
  Result<std::string> identity_of(std::string const& image) const;
  Status pull(std::string const& image, Secret<> const& credentials) const;
  Result<std::string> fetch(std::string const& image, Secret<> const& credentials);

  DockerApi const& docker_;
  ImageAccess access_;
};

}  // namespace lepton::node
