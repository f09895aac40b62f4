#pragma once
// A temporary folder of one simulated world, in memory where the machine has such a file system:
// thousands of small files that come and go take a disk longer than all the rest takes the CPU.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace lepton::sim {

class Place {
 public:
  Place() = default;
  ~Place() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;

  bool is_used() const { return !path_.empty(); }
  // Made when it is first asked for.
  std::filesystem::path const& path() {
    if (!path_.empty()) return path_;
    auto const memory = ::access("/dev/shm", W_OK | X_OK) == 0;
    auto const base = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    auto name = (base / "lepton-sim-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return path_ = name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace lepton::sim
