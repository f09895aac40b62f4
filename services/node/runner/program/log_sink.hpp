#pragma once
// LogSink: what the task prints, from a pipe into the attempt's log. The head up to a limit is
// kept, then one line says that the rest is not; a full disk drops output, never stops the task.

#include <cstdint>
#include <string>

#include "services/node/runner/files.hpp"

namespace lepton::node {

class LogSink {
 public:
  // Goes on where the file ends.
  static Result<LogSink> open(std::string const& path, std::int64_t bytes_max);

  // A line of our own, where there is room.
  void say(std::string_view line) { take(line); }

  // Takes what the pipe holds now, at most `budget` bytes. False when all writers are gone.
  bool drain(int pipe, std::size_t budget);

  std::int64_t kept_bytes() const { return kept_; }
  std::int64_t dropped_bytes() const { return dropped_; }

 private:
  LogSink(Fd file, std::int64_t bytes_max, std::int64_t kept)
      : file_(std::move(file)), bytes_max_(bytes_max), kept_(kept), is_full_(kept >= bytes_max) {}
  void take(std::string_view part);
  bool append(std::string_view text);

  Fd file_;
  std::int64_t bytes_max_;
  std::int64_t kept_;
  std::int64_t dropped_ = 0;
  bool is_full_;  // and it is said
};

}  // namespace lepton::node
