#pragma once
// Control groups of one attempt, version 2, version 1 or both side by side: CPU, memory and process
// limits, a sure kill, and the count of out-of-memory kills. Nothing here fails a start: what
// cannot be enforced is said in `not_enforced`. Blocking; any thread. Source: kernel documentation,
// admin-guide/cgroup-v2 and cgroup-v1.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "services/node/core/run_status.hpp"

namespace lepton::node {

struct CgroupMount {
  std::string path;  // where it is mounted
  std::string root;  // which part of the hierarchy is visible there
  bool v2 = false;
  std::set<std::string> controllers;  // of version 1; version 2 tells by cgroup.controllers

  bool operator==(CgroupMount const&) const = default;
};

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

// The own group in the hierarchy with that controller, from /proc/self/cgroup; "" asks for
// version 2.
std::string own_group(std::string_view self_cgroup, std::string_view controller);

// Folders in which make_cgroup may have made lepton/<attempt>, for whoever measures attempts.
std::vector<std::string> group_parents(std::string_view mountinfo, std::string_view self_cgroup);

struct CgroupLimits {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t pids_max = 0;
};

struct CgroupResult {
  std::vector<std::string> groups;  // folders made; the task joins each
  std::vector<std::string> enforced;
  std::vector<NotEnforced> not_enforced;
};

// Makes lepton/<attempt> below the place where this machine allows it and sets the limits.
CgroupResult make_cgroup(std::string_view mountinfo, std::string_view self_cgroup,
                         std::string_view attempt, CgroupLimits const& limits);

// For the forked task: moves the calling process. False when a group refused.
bool join_groups(std::vector<std::string> const& groups);

// Other limits for CPU and memory, where they are enforced. `conflict`: more memory is in use.
Status change_limits(std::vector<std::string> const& groups, RunLimits const& limits);
// Without the cached files that the kernel can drop at once; nothing where it is not counted.
std::optional<std::int64_t> memory_in_use_mib(std::vector<std::string> const& groups);

// One pass. True when no live process is left in the groups.
bool kill_groups(std::vector<std::string> const& groups);
std::int64_t oom_kills(std::vector<std::string> const& groups);
void remove_groups(std::vector<std::string> const& groups);

}  // namespace lepton::node
