#pragma once
// Where PostgreSQL's own programs are on this machine. Errors: not_found with the package to
// install.

#include <filesystem>
#include <optional>

#include "common/base/result.hpp"

namespace lepton::postgres {

inline constexpr int oldest_major = 15;

struct Binaries {
  int major = 0;
  std::filesystem::path folder;
};

// The newest version under `root` (Debian's layout: <root>/15/bin), or exactly `major` where data
// of that version exist already.
Result<Binaries> find_binaries(std::optional<int> major = std::nullopt,
                               std::filesystem::path const& root = "/usr/lib/postgresql");

}  // namespace lepton::postgres
