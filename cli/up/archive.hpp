#pragma once
// The archive of a backup: a folder packed by tar(1) into one file, and unpacked again. One thread.
// Errors: conflict (the file exists), not_found, invalid (not such a file), exhausted (disk).

#include <filesystem>

#include "common/base/result.hpp"

namespace lepton::cli {

// A folder of mode 0700 that goes away with the object.
class ScratchFolder {
 public:
  // Beside `near`, so that what is made in it can be moved there.
  static Result<ScratchFolder> make(std::filesystem::path const& near);
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  std::filesystem::path const& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// On disk completely or not there at all; never replaces a file.
Status pack(std::filesystem::path const& folder, std::filesystem::path const& file);
// Into an empty folder. Anything but plain files and folders is refused.
Status unpack(std::filesystem::path const& file, std::filesystem::path const& folder);

}  // namespace lepton::cli
