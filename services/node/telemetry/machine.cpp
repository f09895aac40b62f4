#include "services/node/telemetry/machine.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"
#include "services/node/telemetry/links.hpp"

namespace lepton::node {
namespace {

Result<std::string> read_text(std::string const& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return Error{Code::unavailable, fmt::format("cannot read {}", path)};
  return text.str();
}

Result<CpuTimes> read_cpu(std::string const& proc) {
  auto const text = read_text(proc + "/stat");
  if (!text) return text.error();
  return parse_proc_stat(*text);
}

Result<Memory> read_memory(std::string const& proc) {
  auto const text = read_text(proc + "/meminfo");
  if (!text) return text.error();
  return parse_meminfo(*text);
}

// Of the group at the top of what is mounted: in a container that is its own, of either version; on
// a machine it has no limit.
std::int64_t limited(std::int64_t memory_mib, std::string const& cgroup) {
  for (auto const* file : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    auto const content = read_text(cgroup + file);
    auto const bytes = content ? text::parse_int(text::trim(*content)) : std::nullopt;
    if (bytes && *bytes > 0) memory_mib = std::min(memory_mib, *bytes >> 20);
  }
  return memory_mib;
}

Result<struct statvfs> read_disk(std::string const& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return Error{Code::unavailable,
                 fmt::format("cannot look at the disk of {}: {}", folder, std::strerror(errno))};
  return disk;
}

std::int64_t mib(struct statvfs const& disk, fsblkcnt_t blocks) {
  return static_cast<std::int64_t>(blocks * disk.f_frsize >> 20);
}

std::optional<Traffic> read_traffic(std::string const& path,
                                    Result<Traffic> (*parse)(std::string_view)) {
  auto const text = read_text(path);
  if (!text) return std::nullopt;
  auto const traffic = parse(*text);
  return traffic ? std::optional(*traffic) : std::nullopt;
}

// A counter that fell began anew, as when a network device was taken away: nothing is known.
std::optional<double> rate(std::int64_t before, std::int64_t after, double seconds) {
  if (after < before) return std::nullopt;
  return static_cast<double>(after - before) / seconds;
}

// A container or taskset may leave fewer CPUs than the machine has.
std::int64_t usable_cpus(std::int64_t online) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return online;
  return CPU_COUNT(&set);
}

}  // namespace

Machine::Machine(MachineOptions options)
    : options_(std::move(options)), nvml_(std::make_unique<Nvml>(options_.nvml_library)) {
  if (auto const now = read_cpu(options_.proc)) before_ = *now;
}

Result<MachineFacts> Machine::discover() const {
  auto const cpu = read_cpu(options_.proc);
  if (!cpu) return cpu.error();
  auto const memory = read_memory(options_.proc);
  if (!memory) return memory.error();
  auto const disk = read_disk(options_.state_dir);
  if (!disk) return disk.error();
  utsname names{};
  ::uname(&names);
  MachineFacts facts;
  facts.hostname = names.nodename;
  facts.kernel = names.release;
  facts.cpu_milli = usable_cpus(cpu->cpus) * 1000;
  facts.memory_mib = limited(memory->total_mib, options_.cgroup);
  facts.disk_mib = mib(*disk, disk->f_blocks);
  facts.bandwidth_mbit = bandwidth_of_links_mbit(options_.sys);
  facts.gpus = nvml_->gpus();
  for (auto& gpu : facts.gpus) gpu.numa = numa_of_pci(options_.sys, gpu.pci);
  facts.numa_cpus = usable_numa_cpus(options_.sys);
  facts.no_gpus_why = nvml_->reason();
  return facts;
}

Result<Sample> Machine::sample() {
  auto const cpu = read_cpu(options_.proc);
  if (!cpu) return cpu.error();
  auto const memory = read_memory(options_.proc);
  if (!memory) return memory.error();
  auto const disk = read_disk(options_.state_dir);
  if (!disk) return disk.error();
  Sample sample;
  sample.cpu_use = cpu_use(before_, *cpu);
  before_ = *cpu;
  sample.memory_use =
      1.0 - static_cast<double>(memory->available_mib) / static_cast<double>(memory->total_mib);
  sample.disk_free_mib = mib(*disk, disk->f_bavail);
  // As df counts: what only root may take is neither used nor free.
  auto const used = disk->f_blocks - disk->f_bfree;
  if (used + disk->f_bavail > 0)
    sample.disk_use = static_cast<double>(used) / static_cast<double>(used + disk->f_bavail);
  if (auto const text = read_text(options_.proc + "/loadavg"))
    if (auto const load = parse_loadavg(*text)) sample.load_1m = *load;
  add_rates(sample);
  sample.gpus = nvml_->sample();
  return sample;
}

void Machine::add_rates(Sample& sample) {
  auto const now = options_.now();
  auto const disks = read_traffic(options_.proc + "/diskstats", parse_diskstats);
  auto const network = read_traffic(options_.proc + "/net/dev", parse_net_dev);
  if (looked_at_ && now > *looked_at_) {
    auto const seconds = static_cast<double>(now - *looked_at_) / 1000;
    if (disks && disks_) {
      sample.disk_read_bytes_per_s = rate(disks_->in_bytes, disks->in_bytes, seconds);
      sample.disk_write_bytes_per_s = rate(disks_->out_bytes, disks->out_bytes, seconds);
    }
    if (network && network_) {
      sample.network_receive_bytes_per_s = rate(network_->in_bytes, network->in_bytes, seconds);
      sample.network_send_bytes_per_s = rate(network_->out_bytes, network->out_bytes, seconds);
    }
  }
  looked_at_ = now;
  disks_ = disks;
  network_ = network;
}

}  // namespace lepton::node
