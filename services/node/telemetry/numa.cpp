#include "services/node/telemetry/numa.hpp"

#include <sched.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "services/node/core/cpu_list.hpp"

namespace lepton::node {
namespace {

std::string word_in(std::filesystem::path const& file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

// "node0" is 0.
std::int32_t number_of(std::string const& name) {
  constexpr std::string_view start = "node";
  if (!name.starts_with(start)) return -1;
  auto const number = text::parse_int(std::string_view(name).substr(start.size()));
  return number && *number >= 0 && *number < 1024 ? static_cast<std::int32_t>(*number) : -1;
}

}  // namespace

std::int32_t numa_of_pci(std::string const& sys, std::string const& address) {
  if (address.empty()) return -1;
  auto const number =
      text::parse_int(word_in(sys + "/bus/pci/devices/" + address + "/numa_node")).value_or(-1);
  return number >= 0 && number < 1024 ? static_cast<std::int32_t>(number) : -1;
}

NumaCpus usable_numa_cpus(std::string const& sys) {
  namespace fs = std::filesystem;
  cpu_set_t usable;
  CPU_ZERO(&usable);
  NumaCpus all;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return all;
  std::error_code gone;
  for (fs::directory_iterator node(sys + "/devices/system/node", gone), end; !gone && node != end;
       node.increment(gone)) {
    auto const number = number_of(node->path().filename().string());
    auto const cpus = parse_cpu_list(word_in(node->path() / "cpulist"));
    if (number < 0 || !cpus) continue;
    std::vector<int> mine;
    for (auto cpu : *cpus)
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &usable)) mine.push_back(cpu);
    if (!mine.empty()) all[number] = cpu_list_of(mine);
  }
  return all;
}

}  // namespace lepton::node
