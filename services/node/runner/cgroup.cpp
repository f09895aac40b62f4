#include "services/node/runner/cgroup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "common/base/text.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/process_table.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t file_max = 1 << 20;
constexpr std::int64_t period_us = 100'000, quota_us_min = 1'000;

Status put(std::string const& path, std::string_view value) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return file_error("open", path, errno);
  return write_all(file.get(), value, path);
}

bool lists(std::string const& path, std::string_view word) {
  auto const text = read_file(path, file_max);
  if (!text) return false;
  auto const words = text::split(text::trim(*text), ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Where the own group is seen below the mount, or nothing when it is outside of what is mounted.
std::optional<std::string> visible(CgroupMount const& mount, std::string const& own) {
  if (mount.root == "/") return own == "/" ? mount.path : mount.path + own;
  if (!own.starts_with(mount.root)) return std::nullopt;
  return mount.path + own.substr(mount.root.size());
}

Result<std::string> make_group(std::string const& parent, std::string_view attempt) {
  auto const lepton = parent + "/lepton", group = fmt::format("{}/{}", lepton, attempt);
  for (auto const& folder : {lepton, group})
    if (auto made = make_folder(folder, 0755); !made) return made.error();
  return group;
}

// Version 2 passes a controller down one level at a time, and only from groups without processes.
Status pass_down(std::string const& parent, std::string const& controller) {
  for (auto const& folder : {parent, parent + "/lepton"}) {
    if (!lists(folder + "/cgroup.controllers", controller))
      return Error{Code::unavailable,
                   fmt::format("the {} controller is not available in {}", controller, folder)};
    if (lists(folder + "/cgroup.subtree_control", controller)) continue;
    if (auto done = put(folder + "/cgroup.subtree_control", "+" + controller); !done) return done;
  }
  return ok();
}

struct Setting {
  std::string what;                                         // for people and status
  std::string controller;                                   // same name in both versions
  std::int64_t limit;                                       // 0: none wanted
  std::vector<std::pair<std::string, std::string>> v1, v2;  // file, value
};

std::vector<Setting> settings_of(CgroupLimits const& limits) {
  auto const quota = std::max(quota_us_min, limits.cpu_milli * period_us / 1000);
  auto const bytes = std::to_string(limits.memory_mib << 20),
             pids = std::to_string(limits.pids_max);
  return {{"cpu",
           "cpu",
           limits.cpu_milli,
           {{"cpu.cfs_period_us", std::to_string(period_us)},
            {"cpu.cfs_quota_us", std::to_string(quota)}},
           {{"cpu.max", fmt::format("{} {}", quota, period_us)}}},
          {"memory",
           "memory",
           limits.memory_mib,
           {{"memory.limit_in_bytes", bytes}},
           {{"memory.max", bytes}, {"memory.oom.group", "1"}}},
          {"pids", "pids", limits.pids_max, {{"pids.max", pids}}, {{"pids.max", pids}}}};
}

Status write_settings(std::string const& group,
                      std::vector<std::pair<std::string, std::string>> const& values) {
  for (auto const& [file, value] : values)
    if (auto done = put(group + "/" + file, value); !done) return done;
  return ok();
}

bool has_files(std::string const& group,
               std::vector<std::pair<std::string, std::string>> const& values) {
  return std::all_of(values.begin(), values.end(), [&](auto const& value) {
    return ::access((group + "/" + value.first).c_str(), W_OK) == 0;
  });
}

// "NAME 123" on a line of its own.
std::optional<std::int64_t> counter_in(std::string const& path, std::string_view name) {
  auto const text = read_file(path, file_max);
  if (!text) return std::nullopt;
  for (auto const& line : text::split(*text, '\n'))
    if (line.starts_with(name)) return text::parse_int(line.substr(name.size()));
  return std::nullopt;
}

class Maker {
 public:
  Maker(std::string_view mountinfo, std::string_view self_cgroup, std::string_view attempt)
      : mounts_(parse_cgroup_mounts(mountinfo)), self_(self_cgroup), attempt_(attempt) {
    make_v2();
  }

  void enforce(Setting const& setting) {
    auto done = enforce_v1(setting);
    if (!done) done = enforce_v2(setting);
    if (*done)
      result_.enforced.push_back(setting.what);
    else
      result_.not_enforced.push_back({setting.what, done->error().what});
  }

  CgroupResult take() { return std::move(result_); }

 private:
  // Made also where no controller is left for version 2: it gives the sure kill.
  void make_v2() {
    for (auto const& mount : mounts_) {
      if (!mount.v2) continue;
      // The top first: the own group holds this process, so it may not pass controllers down.
      std::vector<std::string> parents{mount.path};
      if (auto own = visible(mount, own_group(self_, "")); own && *own != mount.path)
        parents.push_back(*own);
      for (auto const& parent : parents) {
        auto made = make_group(parent, attempt_);
        if (made) {
          v2_parent_ = parent;
          v2_group_ = *made;
          result_.groups.push_back(*made);
          return;
        }
        v2_error_ = made.error();
      }
    }
  }

  std::optional<Status> enforce_v1(Setting const& setting) {
    for (auto const& mount : mounts_) {
      if (mount.v2 || !mount.controllers.contains(setting.controller)) continue;
      auto const parent = visible(mount, own_group(self_, setting.controller));
      if (!parent)
        return Status(Error{Code::unavailable, "the own group is not visible in " + mount.path});
      auto made = make_group(*parent, attempt_);
      if (!made) return Status(made.error());
      auto& groups = result_.groups;
      if (std::find(groups.begin(), groups.end(), *made) == groups.end()) groups.push_back(*made);
      return write_settings(*made, setting.v1);
    }
    return std::nullopt;
  }

  Status enforce_v2(Setting const& setting) {
    if (v2_group_.empty()) return v2_error_;
    if (auto passed = pass_down(v2_parent_, setting.controller); !passed) return passed;
    return write_settings(v2_group_, setting.v2);
  }

  std::vector<CgroupMount> mounts_;
  std::string self_, attempt_, v2_parent_, v2_group_;
  Error v2_error_{Code::unavailable, "no cgroup file system is mounted on this machine"};
  CgroupResult result_;
};

}  // namespace

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (auto const& line : text::split(mountinfo, '\n')) {
    auto const fields = text::split(line, ' ');
    auto const dash = std::find(fields.begin(), fields.end(), "-");
    constexpr int root = 3, path = 4, after_dash = 3;
    if (dash - fields.begin() <= path || fields.end() - dash <= after_dash) continue;
    auto const& type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    CgroupMount mount{fields[path], fields[root], type == "cgroup2", {}};
    if (!mount.v2)
      for (auto& option : text::split(dash[3], ',')) mount.controllers.insert(option);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::string own_group(std::string_view self_cgroup, std::string_view controller) {
  for (auto const& line : text::split(self_cgroup, '\n')) {
    auto const first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    auto const names = text::split(line.substr(first + 1, second - first - 1), ',');
    if (std::find(names.begin(), names.end(), controller) != names.end())
      return line.substr(second + 1);
  }
  return "/";
}

std::vector<std::string> group_parents(std::string_view mountinfo, std::string_view self_cgroup) {
  std::vector<std::string> parents;
  auto const add = [&](std::string const& folder) {
    if (std::find(parents.begin(), parents.end(), folder) == parents.end())
      parents.push_back(folder);
  };
  for (auto const& mount : parse_cgroup_mounts(mountinfo)) {
    if (mount.v2) add(mount.path);
    auto const controller = mount.controllers.empty() ? "" : *mount.controllers.begin();
    if (auto const own = visible(mount, own_group(self_cgroup, controller))) add(*own);
  }
  return parents;
}

CgroupResult make_cgroup(std::string_view mountinfo, std::string_view self_cgroup,
                         std::string_view attempt, CgroupLimits const& limits) {
  Maker maker(mountinfo, self_cgroup, attempt);
  for (auto const& setting : settings_of(limits))
    if (setting.limit > 0) maker.enforce(setting);
  return maker.take();
}

Status change_limits(std::vector<std::string> const& groups, RunLimits const& limits) {
  auto const used = memory_in_use_mib(groups);
  if (used && takes_memory(limits, *used))
    return Error{Code::conflict, fmt::format("{} MiB are in use, which is more than {} MiB", *used,
                                             limits.memory_mib)};
  for (auto const& setting : settings_of({limits.cpu_milli, limits.memory_mib, 0})) {
    if (setting.limit == 0) continue;
    for (auto const& group : groups)
      for (auto const* values : {&setting.v1, &setting.v2})
        if (has_files(group, *values))
          if (auto done = write_settings(group, *values); !done) return done;
  }
  return ok();
}

std::optional<std::int64_t> memory_in_use_mib(std::vector<std::string> const& groups) {
  for (auto const& group : groups)
    for (auto const& [usage, inactive] : {std::pair{"/memory.current", "inactive_file "},
                                          {"/memory.usage_in_bytes", "total_inactive_file "}}) {
      auto const text = read_file(group + usage, file_max);
      auto const bytes = text ? text::parse_int(text::trim(*text)) : std::nullopt;
      if (!bytes) continue;
      auto const cached = counter_in(group + "/memory.stat", inactive).value_or(0);
      return (*bytes - std::min(*bytes, cached)) >> 20;
    }
  return std::nullopt;
}

bool join_groups(std::vector<std::string> const& groups) {
  return std::all_of(groups.begin(), groups.end(), [](std::string const& group) {
    return put(group + "/cgroup.procs", "0").has_value();
  });
}

bool kill_groups(std::vector<std::string> const& groups) {
  bool empty = true;
  for (auto const& group : groups) {
    (void)put(group + "/cgroup.kill", "1");  // version 2, Linux 5.14 or newer
    auto const pids = read_file(group + "/cgroup.procs", file_max);
    if (!pids) continue;
    for (auto const& line : text::split(text::trim(*pids), '\n')) {
      auto const process = read_process(text::parse_int(line).value_or(-1));
      if (!process || process->dead()) continue;
      empty = false;
      signal_exactly(*process, SIGKILL);
    }
  }
  return empty;
}

std::int64_t oom_kills(std::vector<std::string> const& groups) {
  for (auto const& group : groups) {
    for (auto const* file : {"/memory.events", "/memory.oom_control"})
      if (auto const kills = counter_in(group + file, "oom_kill ")) return *kills;
  }
  return 0;
}

void remove_groups(std::vector<std::string> const& groups) {
  for (auto const& group : groups) ::rmdir(group.c_str());
}

}  // namespace lepton::node
