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
  // Whether it came with credentials.
  bool is_noted(std::string const& image) const;
  // They have fetched it. The oldest of eight is forgotten.
  Status note(std::string const& image, Secret<> const& credentials);
  // It was fetched without any: it is everybody's.
  void note_open(std::string const& image);

  // From before a pull with credentials until note(): what was fetched of that repository may be
  // private, although no file says so; also after a crash in between. `name`: of the image.
  Status begin_pull(std::string const& name);
  void end_pull(std::string const& name);
  bool is_in_doubt(std::string const& name) const;

 private:
  std::string path_of(std::string const& image) const;
  std::string doubt_of(std::string const& name) const;

  std::string folder_;
};

}  // namespace lepton::node
