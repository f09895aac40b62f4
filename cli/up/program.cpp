#include "cli/up/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

// glibc 2.36 forgot the language linkage in this header.
extern "C" {
#include <sys/pidfd.h>
}

#include "common/base/text.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

// What a service may need of the environment; nothing else is inherited, secrets least of all.
std::vector<std::string> environment() {
  std::vector<std::string> out{"LC_ALL=C.UTF-8"};
  for (auto const* name : {"PATH", "HOME", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (auto const* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  return out;
}

std::string read_proc(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(4096, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

bool is_same(std::vector<std::string> const& words, std::string const& program,
             fs::path const& config, std::string const& flag) {
  return words.size() >= 3 && fs::path(words[0]).filename() == program && words[1] == flag &&
         words[2] == config.string();
}

}  // namespace

Result<Program> Program::start(ProgramSpec const& spec) {
  rotate_log(spec.log);
  Fd const log(
      open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log)
    return Error{
        errno == ENOSPC ? Code::exhausted : Code::internal,
        fmt::format("cannot open the log {}: {}", spec.log.string(), std::strerror(errno))};
  postgres::Command command;
  command.program = spec.program;
  command.arguments = spec.arguments;
  command.environment = environment();
  command.output = log.get();
  command.parent_death_signal = spec.outlives ? 0 : SIGTERM;
  auto child = postgres::spawn(command);
  if (!child) return child.error();
  return Program(spec.name, std::move(*child));
}

Status Program::stop(TimeMs limit_ms) {
  child_.signal(SIGTERM);
  if (child_.wait(limit_ms)) return ok();
  child_.signal(SIGKILL);
  child_.wait(-1);
  return Error{Code::timeout, fmt::format("{} did not stop within {} s and was ended like a crash; "
                                          "what it had acknowledged is kept",
                                          name_, limit_ms / 1000)};
}

void rotate_log(fs::path const& log, std::uintmax_t bytes_max) {
  std::error_code error;
  auto const size = fs::file_size(log, error);
  if (error || size < bytes_max) return;
  fs::copy_file(log, log.string() + ".1", fs::copy_options::overwrite_existing, error);
  // Truncated in any case: a disk that is full is not made fuller by its own complaints.
  fs::resize_file(log, 0, error);
}

std::string log_end(fs::path const& log) {
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  if (!file) return "(nothing)";
  auto const size = static_cast<std::int64_t>(file.tellg());
  file.seekg(std::max<std::int64_t>(0, size - 4096));
  std::string const content{std::istreambuf_iterator<char>(file), {}};
  auto lines = text::split(text::trim(content), '\n');
  if (lines.size() > 5) lines.erase(lines.begin(), lines.end() - 5);
  auto const joined = text::join(lines, " | ");
  return joined.empty() ? "(nothing)" : joined;
}

std::vector<pid_t> running(std::string const& program, fs::path const& config,
                           std::string const& flag) {
  std::vector<pid_t> found;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator("/proc", error)) {
    auto const pid = text::parse_int(entry.path().filename().string());
    if (!pid || *pid == getpid()) continue;
    auto const words = text::split(read_proc(entry.path() / "cmdline"), '\0');
    if (is_same(words, program, config, flag)) found.push_back(static_cast<pid_t>(*pid));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Status end_leftovers(std::vector<pid_t> const& pids, TimeMs limit_ms) {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + limit_ms;
  for (auto const pid : pids) {
    Fd const process(pidfd_open(pid, 0));
    if (!process) continue;  // ended meanwhile
    pollfd entry{process.get(), POLLIN, 0};
    pidfd_send_signal(process.get(), SIGTERM, nullptr, 0);
    auto const left = std::max<TimeMs>(0, deadline - clock.now_ms());
    if (poll(&entry, 1, static_cast<int>(left)) > 0) continue;
    pidfd_send_signal(process.get(), SIGKILL, nullptr, 0);
    if (poll(&entry, 1, 5'000) > 0) continue;
    return Error{Code::timeout,
                 fmt::format("process {} of an earlier `lepton up` does not end; end "
                             "it by hand and try again",
                             pid)};
  }
  return ok();
}

}  // namespace lepton::cli
