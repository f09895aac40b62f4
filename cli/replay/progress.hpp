#pragma once
// How far a long command is: one line that is redrawn where a person looks, else a line for each
// tenth. One thread.

#include <chrono>

#include "cli/shell.hpp"

namespace lepton::cli {

class ProgressBar {
 public:
  ProgressBar(Shell const& shell, std::string what, std::size_t total)
      : shell_(shell), what_(std::move(what)), total_(total) {}
  void show(std::size_t done);

 private:
  using Clock = std::chrono::steady_clock;
  Shell const& shell_;
  std::string what_;
  std::size_t total_;
  std::size_t tenth_ = 0;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point drawn_{};
};

}  // namespace lepton::cli
