#include "services/node/runner/container.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>

#include "common/base/time.hpp"
#include "schemas/registry.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t end_limit_ms = 70'000;  // the engine's own limit is shorter
constexpr int pause_ms = 10;

std::string end_path(AttemptFiles const& files) {
  return files.folder + "/container";
}

Result<pid_t> spawn(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = 0;
  auto const error = ::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environment);
  if (error != 0) return file_error("start", arguments[0], error);
  return pid;
}

// Its exit code; -1 when it had to be killed.
int wait_for(pid_t pid) {
  SystemClock const clock;
  int status = 0;
  for (auto const until = clock.now_ms() + end_limit_ms; clock.now_ms() < until;
       ::poll(nullptr, 0, pause_ms)) {
    auto const done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (done < 0 && errno != EINTR) return -1;
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return -1;
}

}  // namespace

Status write_container_end(AttemptFiles const& files, ContainerEnd const& end) {
  Record record;
  record.put("exit_code", std::int64_t{end.exit_code});
  record.put("oom_killed", std::int64_t{end.oom_killed});
  record.put("error", end.error);
  return replace_file(end_path(files), record.encode());
}

Result<ContainerEnd> read_container_end(AttemptFiles const& files) {
  auto const text = read_file(end_path(files), Record::size_max);
  if (!text) return text.error();
  auto const record = Record::decode(*text);
  if (!record) return record.error();
  return ContainerEnd{static_cast<int>(record->number("exit_code", -1)),
                      record->number("oom_killed", 0) != 0, record->text("error")};
}

std::vector<std::string> container_command(std::string const& programs,
                                           std::string const& state_dir, RunSpec const& spec,
                                           Secrets const& secrets) {
  std::vector<std::string> command{programs + "/lepton-container", "run", state_dir, spec.attempt};
  for (auto const& [name, value] : secrets)
    if (name != registry_secret) command.push_back(name);
  return command;
}

std::vector<std::string> watch_command(std::string const& programs, std::string const& state_dir,
                                       RunSpec const& spec) {
  return {programs + "/lepton-container", "run_on", state_dir, spec.attempt};
}

Result<Container> what_became_of(std::string const& programs, std::string const& state_dir,
                                 RunSpec const& spec) {
  if (spec.image.empty()) return Container::none;
  auto const pid = spawn({programs + "/lepton-container", "has", state_dir, spec.attempt});
  if (!pid) return Error{Code::unavailable, pid.error().what};
  auto const status = wait_for(*pid);
  if (status == 0) return Container::running;
  if (status == exit_none) return Container::none;
  if (status == exit_ended) return Container::ended;
  return Error{Code::unavailable, "Docker does not tell of the container of " + spec.attempt};
}

Status resize_container(std::string const& programs, std::string const& state_dir,
                        RunSpec const& spec, RunLimits const& limits) {
  auto const pid = spawn({programs + "/lepton-container", "resize", state_dir, spec.attempt,
                          std::to_string(limits.cpu_milli), std::to_string(limits.memory_mib)});
  if (!pid) return Error{Code::unavailable, pid.error().what};
  auto const status = wait_for(*pid);
  if (status == 0) return ok();
  if (status == exit_in_use)
    return Error{Code::conflict,
                 fmt::format("the container uses more than {} MiB of memory", limits.memory_mib)};
  return Error{Code::unavailable, fmt::format("Docker does not take other limits for the container "
                                              "of attempt {}; is its service running?",
                                              spec.attempt)};
}

Status end_container(std::string const& programs, std::string const& state_dir,
                     RunSpec const& spec) {
  if (spec.image.empty()) return ok();
  auto const pid = spawn({programs + "/lepton-container", "end", state_dir, spec.attempt});
  if (!pid) return Error{Code::unavailable, pid.error().what};
  if (wait_for(*pid) == 0) return ok();
  return Error{Code::unavailable,
               fmt::format("Docker does not confirm that the container of attempt {} is gone; its "
                           "service must answer before the attempt can end",
                           spec.attempt)};
}

std::string own_folder() {
  std::error_code error;
  auto const self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : self.parent_path().string();
}

}  // namespace lepton::node
