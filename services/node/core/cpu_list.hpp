#pragma once
// Lists of CPUs as the kernel writes them: "0-3,8,10-11", rising (kernel documentation,
// admin-guide/cputopology). Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lepton::node {

inline constexpr int cpus_max = 1024;  // as many as sched_setaffinity's own set holds

// Nothing for what is no such list, falls or names a CPU from cpus_max on. "" is an empty list.
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);
std::string cpu_list_of(std::vector<int> const& rising);

}  // namespace lepton::node
