#pragma once
// The commands `lepton slice create|resize|release|list`: parts of machines that are nodes of their
// own. One thread.

#include "cli/command.hpp"
#include "schemas/slice.hpp"

namespace lepton::cli {

// As people type them; empty: nothing is said of it.
struct SliceWords {
  std::string cpus, memory, gpus, disk, bandwidth;
};
// What is said becomes 0 or more, the rest stays below 0.
Result<SliceResize> read_slice_size(SliceWords const& words);

Commands slice_commands();

}  // namespace lepton::cli
