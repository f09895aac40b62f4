#pragma once
// What attempts use, by their control groups (runner/cgroup.hpp), version 2 or 1; of containers, by
// those that the engine made. Attempts without
// a group, or of whose group the kernel does not tell a value, have none: absent, never 0. Reads
// files: worker thread only. Source: kernel documentation, admin-guide/cgroup-v2 and cgroup-v1.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "services/node/telemetry/container_groups.hpp"

namespace lepton::node {

struct TaskSample {
  std::string attempt;
  std::optional<double> cpu_cores;  // since the sample before: 1.5 is one core and a half
  std::optional<double> memory_mib;
  bool operator==(TaskSample const&) const = default;
};

class TaskMeter {
 public:
  static constexpr std::size_t tasks_max = 500;

  // Folders that hold lepton/<attempt>, and one with a folder for each attempt of this node: other
  // nodes of the machine have groups there, too. Empty: all attempts count.
  explicit TaskMeter(std::vector<std::string> parents, std::string own_attempts = "",
                     std::optional<ContainerGroups> containers = std::nullopt)
      : parents_(std::move(parents)),
        own_attempts_(std::move(own_attempts)),
        containers_(std::move(containers)) {}
  // As this process sees them. Without `find` no attempt is a container.
  static TaskMeter of_this_machine(std::string own_attempts, ContainerGroups::Find find = nullptr);

  // By attempt.
  std::vector<TaskSample> sample(TimeMs now_ms);

 private:
  struct Used {
    std::int64_t cpu_us = 0;
    TimeMs at_ms = 0;
    std::vector<std::string> folders;
  };
  bool is_own(std::string const& attempt) const;
  std::map<std::string, std::vector<std::string>> own_groups() const;
  void use_containers(std::map<std::string, std::vector<std::string>>& groups, TimeMs now_ms);

  std::vector<std::string> parents_;
  std::string own_attempts_;
  std::optional<ContainerGroups> containers_;
  std::map<std::string, Used> before_;
};

}  // namespace lepton::node
