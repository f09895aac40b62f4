#pragma once
// Landing: a folder of this machine into which files from elsewhere are written. Paths follow the
// grammar of folders (common/base/folder_path.hpp), folders on the way are opened without following
// links, and a file appears under its name when it is whole. Blocking; one thread.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/base/fd.hpp"
#include "common/base/result.hpp"

namespace lepton::cli {

struct Arrival {
  std::string path;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  bool executable = false;
  std::string origin;  // whose file: a part that was left of another is not continued
};

class Landing {
 public:
  // Made where it is not there. An existing one is used as it is.
  static Result<Landing> open(std::string const& folder);

  // Where writing goes on; nothing: that very file is here already. `conflict`: another one is.
  Result<std::optional<std::int64_t>> begin(Arrival const& file, bool overwrite);
  Status append(std::string_view data);
  Status finish();  // with its time and rights, under its name

 private:
  explicit Landing(Fd root) : root_(std::move(root)) {}
  Status enter(std::string const& path);
  void leave();

  Fd root_, folder_, part_;
  Arrival file_;
  std::string name_, part_name_;
};

}  // namespace lepton::cli
