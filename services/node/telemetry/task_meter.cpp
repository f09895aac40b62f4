#include "services/node/telemetry/task_meter.hpp"

#include <filesystem>

#include "common/base/text.hpp"
#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t file_max = 1 << 16;

std::optional<std::int64_t> read_number(std::string const& path) {
  auto const text = read_file(path, file_max);
  return text ? text::parse_int(text::trim(*text)) : std::nullopt;
}

// Version 2 tells microseconds in cpu.stat, version 1 nanoseconds in cpuacct.usage.
std::optional<std::int64_t> cpu_us_of(std::string const& group) {
  if (auto const ns = read_number(group + "/cpuacct.usage")) return *ns / 1000;
  auto const text = read_file(group + "/cpu.stat", file_max);
  if (!text) return std::nullopt;
  for (auto const& line : text::split(*text, '\n'))
    if (line.starts_with("usage_usec ")) return text::parse_int(line.substr(11));
  return std::nullopt;
}

std::optional<double> memory_mib_of(std::string const& group) {
  for (auto const* file : {"/memory.current", "/memory.usage_in_bytes"})
    if (auto const bytes = read_number(group + file))
      return static_cast<double>(*bytes) / (1 << 20);
  return std::nullopt;
}

}  // namespace

TaskMeter TaskMeter::of_this_machine(std::string own_attempts) {
  constexpr std::size_t mounts_max = 1 << 20;
  auto const mounts = read_file("/proc/self/mountinfo", mounts_max);
  auto const own = read_file("/proc/self/cgroup", mounts_max);
  if (!mounts || !own) return TaskMeter({});
  return TaskMeter(group_parents(*mounts, *own), std::move(own_attempts));
}

bool TaskMeter::is_own(std::string const& attempt) const {
  std::error_code error;
  return own_attempts_.empty() || std::filesystem::exists(own_attempts_ + "/" + attempt, error);
}

std::vector<TaskSample> TaskMeter::sample(TimeMs now_ms) {
  namespace fs = std::filesystem;
  std::map<std::string, TaskSample> found;
  std::map<std::string, Used> used;
  for (auto const& parent : parents_) {
    std::error_code gone;
    for (fs::directory_iterator i(parent + "/lepton", gone), end; !gone && i != end;
         i.increment(gone)) {
      std::error_code ended;  // meanwhile; the others are still there
      if (!i->is_directory(ended) || found.size() >= tasks_max) continue;
      auto const group = i->path().string(), attempt = i->path().filename().string();
      if (!is_own(attempt)) continue;
      auto& task = found[attempt];
      task.attempt = attempt;
      if (!task.memory_mib) task.memory_mib = memory_mib_of(group);
      if (auto const cpu = cpu_us_of(group); cpu && !used.contains(attempt))
        used[attempt] = {*cpu, now_ms};
    }
  }
  std::vector<TaskSample> out;
  for (auto& [attempt, task] : found) {
    auto const now = used.find(attempt), then = before_.find(attempt);
    if (now != used.end() && then != before_.end() && now_ms > then->second.at_ms &&
        now->second.cpu_us >= then->second.cpu_us)
      task.cpu_cores = static_cast<double>(now->second.cpu_us - then->second.cpu_us) / 1000 /
                       static_cast<double>(now_ms - then->second.at_ms);
    out.push_back(std::move(task));
  }
  before_ = std::move(used);
  return out;
}

}  // namespace lepton::node
