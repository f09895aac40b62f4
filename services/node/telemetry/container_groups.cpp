#include "services/node/telemetry/container_groups.hpp"

#include <algorithm>
#include <filesystem>

#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t file_max = 1 << 16;
constexpr TimeMs ask_again_ms = 5'000;

bool is_folder(std::string const& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

}  // namespace

ContainerGroups::ContainerGroups(std::string mountinfo, Find find, std::string proc)
    : mountinfo_(std::move(mountinfo)), proc_(std::move(proc)), find_(std::move(find)) {}

// Not the top of a hierarchy: that is the whole machine.
std::vector<std::string> ContainerGroups::groups_of(pid_t pid) const {
  auto const text = read_file(proc_ + "/" + std::to_string(pid) + "/cgroup", file_max);
  if (!text) return {};
  auto groups = group_parents(mountinfo_, *text);
  auto const mounts = parse_cgroup_mounts(mountinfo_);
  std::erase_if(groups, [&](std::string const& group) {
    auto const is_top = std::any_of(mounts.begin(), mounts.end(),
                                    [&](CgroupMount const& mount) { return mount.path == group; });
    return is_top || !is_folder(group);
  });
  return groups;
}

void ContainerGroups::look(std::string const& attempt, Known& known, TimeMs now_ms) {
  known.ask_at = now_ms + ask_again_ms;
  auto const found = find_(attempt);
  if (!found) return;
  known.is_container = found->has_value();
  if (found->value_or(0) > 0) known.groups = groups_of(**found);
}

std::vector<std::string> ContainerGroups::of(std::string const& attempt, TimeMs now_ms) {
  auto& known = known_[attempt];
  auto const gone = std::any_of(known.groups.begin(), known.groups.end(),
                                [](auto const& group) { return !is_folder(group); });
  if (gone) known.groups.clear();
  if (known.is_container && known.groups.empty() && now_ms >= known.ask_at)
    look(attempt, known, now_ms);
  return known.groups;
}

void ContainerGroups::keep_only(std::set<std::string> const& attempts) {
  std::erase_if(known_, [&](auto const& k) { return !attempts.contains(k.first); });
}

}  // namespace lepton::node
