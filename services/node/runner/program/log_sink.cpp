#include "services/node/runner/program/log_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lepton::node {

Result<LogSink> LogSink::open(std::string const& path, std::int64_t bytes_max) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return file_error("create", path, errno);
  struct stat info {};
  auto const known = ::fstat(file.get(), &info) == 0;
  return LogSink(std::move(file), bytes_max, known ? info.st_size : 0);
}

bool LogSink::drain(int pipe, std::size_t budget) {
  char part[65536];
  while (budget > 0) {
    auto const n = ::read(pipe, part, std::min(sizeof part, budget));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    take({part, static_cast<std::size_t>(n)});
    budget -= static_cast<std::size_t>(n);
  }
  return true;
}

void LogSink::take(std::string_view part) {
  auto const room = std::max<std::int64_t>(0, bytes_max_ - kept_);
  auto const head = part.substr(0, static_cast<std::size_t>(room));
  auto const kept_before = kept_;
  append(head);
  dropped_ += static_cast<std::int64_t>(part.size()) - (kept_ - kept_before);
  if (is_full_ || head.size() == part.size()) return;
  is_full_ = true;
  append(fmt::format("\n[lepton: the log is full at {} bytes, later output is not kept]\n",
                     bytes_max_));
}

bool LogSink::append(std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(file_.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    kept_ += n;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace lepton::node
