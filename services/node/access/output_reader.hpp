#pragma once
// OutputReader: what ended attempts have left in their output folders, for people who are
// elsewhere. A task may leave anything there: links, pipes, hard links to files of others. So every
// step goes through an open folder, follows no link, and only plain files of the task's own user
// are shown. Blocking; no state between calls.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "schemas/outputs.hpp"

namespace lepton::node {

class OutputReader {
 public:
  explicit OutputReader(std::string state_dir) : state_dir_(std::move(state_dir)) {}

  // `not_found`: no such attempt here (any more); `conflict`: it has not ended; `exhausted`: more
  // files than can be listed.
  Result<OutputPage> list(std::string_view attempt, std::string const& after) const;
  // The path as listed. `not_found`, `denied`: it is no plain file of the task's user.
  Result<OutputChunk> read(std::string_view attempt, std::string const& path, std::int64_t offset,
                           std::size_t limit) const;

  static constexpr std::size_t page_files = 1'000, walked_max = 100'000;

 private:
  std::string state_dir_;
};

}  // namespace lepton::node
