#pragma once
// Which images came to this node with credentials, and with which: one that is here already must
// not run for somebody who could not have fetched it. Kept as scrypt hashes (RFC 7914) with salts,
// a file for each image in the node's state folder, so that a restart needs no registry. Blocking;
// any process of the node. An image without a file is everybody's.

#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::node {

class ImageAccess {
 public:
  explicit ImageAccess(std::string const& state_dir) : folder_(state_dir + "/private-images") {}

  // `image`: its identity, sha256:... Empty credentials open public ones only.
  bool may_use(std::string const& image, Secret<> const& credentials) const;
  // They have fetched it. The oldest of eight is forgotten.
  Status note(std::string const& image, Secret<> const& credentials);

 private:
  std::string path_of(std::string const& image) const;

  std::string folder_;
};

}  // namespace lepton::node
