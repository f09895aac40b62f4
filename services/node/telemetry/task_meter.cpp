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

TaskMeter TaskMeter::of_this_machine(std::string own_attempts, ContainerGroups::Find find) {
  constexpr std::size_t mounts_max = 1 << 20;
  auto const mounts = read_file("/proc/self/mountinfo", mounts_max);
  auto const own = read_file("/proc/self/cgroup", mounts_max);
  if (!mounts || !own) return TaskMeter({});
  std::optional<ContainerGroups> containers;
  if (find) containers.emplace(*mounts, std::move(find));
  return TaskMeter(group_parents(*mounts, *own), std::move(own_attempts), std::move(containers));
}

bool TaskMeter::is_own(std::string const& attempt) const {
  std::error_code error;
  return own_attempts_.empty() || std::filesystem::exists(own_attempts_ + "/" + attempt, error);
}

// By attempt: the folders that the runner made for it.
std::map<std::string, std::vector<std::string>> TaskMeter::own_groups() const {
  namespace fs = std::filesystem;
  std::map<std::string, std::vector<std::string>> groups;
  for (auto const& parent : parents_) {
    std::error_code gone;
    for (fs::directory_iterator i(parent + "/lepton", gone), end; !gone && i != end;
         i.increment(gone)) {
      std::error_code ended;  // meanwhile; the others are still there
      auto const attempt = i->path().filename().string();
      if (!i->is_directory(ended) || !is_own(attempt)) continue;
      if (groups.size() < tasks_max || groups.contains(attempt))
        groups[attempt].push_back(i->path().string());
    }
  }
  return groups;
}

// What a container uses is not what its watcher uses.
void TaskMeter::use_containers(std::map<std::string, std::vector<std::string>>& groups,
                               TimeMs now_ms) {
  if (!containers_) return;
  std::set<std::string> attempts;
  for (auto& [attempt, folders] : groups) {
    attempts.insert(attempt);
    if (auto of_container = containers_->of(attempt, now_ms); !of_container.empty())
      folders = std::move(of_container);
  }
  containers_->keep_only(attempts);
}

std::vector<TaskSample> TaskMeter::sample(TimeMs now_ms) {
  auto groups = own_groups();
  use_containers(groups, now_ms);
  std::vector<TaskSample> out;
  std::map<std::string, Used> used;
  for (auto const& [attempt, folders] : groups) {
    TaskSample task{attempt, {}, {}};
    std::optional<std::int64_t> cpu_us;
    for (auto const& folder : folders) {
      if (!task.memory_mib) task.memory_mib = memory_mib_of(folder);
      if (!cpu_us) cpu_us = cpu_us_of(folder);
    }
    if (cpu_us) used[attempt] = {*cpu_us, now_ms, folders};
    // Of another group nothing is known yet.
    auto const then = before_.find(attempt);
    if (cpu_us && then != before_.end() && then->second.folders == folders &&
        now_ms > then->second.at_ms && *cpu_us >= then->second.cpu_us)
      task.cpu_cores = static_cast<double>(*cpu_us - then->second.cpu_us) / 1000 /
                       static_cast<double>(now_ms - then->second.at_ms);
    out.push_back(std::move(task));
  }
  before_ = std::move(used);
  return out;
}

}  // namespace lepton::node
