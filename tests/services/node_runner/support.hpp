#pragma once
// What the runner's tests share: a state folder of their own, waiting with a deadline, a clock that
// only moves when told.

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/check.hpp"
#include "common/base/time.hpp"

namespace lepton::node {

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "lepton_runner.XXXXXX").string();
    LEPTON_CHECK(::mkdtemp(name.data()) != nullptr, "no temporary folder");
    ::chmod(name.c_str(), 0711);  // the task's user passes through
    path_ = name;
  }
  Folder(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string const& path() const { return path_; }

 private:
  std::string path_;
};

// A runner's program that is killed before it can do anything.
inline std::string killed_program(Folder const& folder) {
  auto const path = folder.path() + "/killed";
  std::ofstream(path) << "#!/bin/sh\nkill -9 $$\n";
  ::chmod(path.c_str(), 0755);
  return path;
}

// True as soon as the condition holds; false when it does not within the time.
template <class F>
bool wait_until(F&& holds, std::int64_t limit_ms = 20'000) {
  SystemClock const clock;
  for (auto const end = clock.now_ms() + limit_ms; clock.now_ms() < end; ::poll(nullptr, 0, 5))
    if (holds()) return true;
  return holds();
}

class ManualClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now_; }
  WallMs wall_ms() const override { return 1'700'000'000'000 + now_; }
  void pass(TimeMs ms) { now_ += ms; }

 private:
  TimeMs now_ = 1'000'000;
};

// Unique on this machine, so that test programs can run side by side.
inline std::string unique(std::string const& name) {
  return name + "-" + std::to_string(::getpid());
}

}  // namespace lepton::node
