#include "services/node/telemetry/proc.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

std::vector<std::string> words(std::string_view line) {
  auto parts = text::split(line, ' ');
  std::erase_if(parts, [](std::string const& part) { return part.empty(); });
  return parts;
}

// Counters of the kernel are unsigned and begin anew when they are full; so does their sum, which
// stays at 0 or above. What is no number adds nothing.
void add_count(std::int64_t& sum, std::string_view count, std::uint64_t unit = 1) {
  constexpr std::uint64_t all_but_sign = ~std::uint64_t{0} >> 1;
  auto const more = static_cast<std::uint64_t>(text::parse_int(count).value_or(0)) * unit;
  sum = static_cast<std::int64_t>((static_cast<std::uint64_t>(sum) + more) & all_but_sign);
}

bool is_one_cpu(std::string_view name) {
  return name.size() > 3 && name.starts_with("cpu") && text::parse_int(name.substr(3)).has_value();
}

// "cpu  user nice system idle iowait irq softirq steal guest guest_nice"
std::optional<CpuTimes> parse_cpu_line(std::vector<std::string> const& parts) {
  constexpr std::size_t idle = 4, iowait = 5, steal = 8;
  if (parts.size() <= idle) return std::nullopt;
  CpuTimes times;
  for (std::size_t i = 1; i < std::min(parts.size(), steal + 1); ++i) {
    auto const ticks = text::parse_int(parts[i]);
    if (!ticks || *ticks < 0) return std::nullopt;
    add_count(times.total_ticks, parts[i]);
    if (i != idle && i != iowait) add_count(times.busy_ticks, parts[i]);
  }
  return times;
}

std::optional<std::int64_t> kib_under(std::string_view text, std::string_view key) {
  for (auto const& line : text::split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    auto const parts = words(line);
    if (parts.size() == 3 && parts[0] == key && parts[2] == "kB") return text::parse_int(parts[1]);
  }
  return std::nullopt;
}

// sda1 of sda, nvme0n1p2 of nvme0n1.
bool is_partition_of(std::string_view name, std::string_view disk) {
  if (name.size() <= disk.size() || !name.starts_with(disk)) return false;
  auto rest = name.substr(disk.size());
  if (rest.front() == 'p') rest.remove_prefix(1);
  return text::parse_int(rest).has_value();
}

bool is_built_on_disks(std::string_view name) {
  return name.starts_with("loop") || name.starts_with("dm-") || name.starts_with("md") ||
         name.starts_with("ram") || name.starts_with("zram");
}

}  // namespace

Result<CpuTimes> parse_proc_stat(std::string_view text) {
  std::optional<CpuTimes> times;
  std::int64_t cpus = 0;
  for (auto const& line : text::split(text, '\n')) {
    auto const parts = words(line);
    if (parts.empty()) continue;
    if (parts[0] == "cpu") times = parse_cpu_line(parts);
    if (is_one_cpu(parts[0])) ++cpus;
  }
  if (!times || cpus == 0) return Error{Code::invalid, "/proc/stat tells no CPU times"};
  times->cpus = cpus;
  return *times;
}

Result<Memory> parse_meminfo(std::string_view text) {
  auto const total = kib_under(text, "MemTotal:"), available = kib_under(text, "MemAvailable:");
  if (!total || !available || *total <= 0 || *available < 0)
    return Error{Code::invalid, "/proc/meminfo tells no MemTotal or MemAvailable"};
  return Memory{*total / 1024, *available / 1024};
}

Result<double> parse_loadavg(std::string_view text) {
  auto const parts = words(text);
  double load = 0;
  auto const* end = parts.empty() ? nullptr : parts[0].data() + parts[0].size();
  if (parts.empty() || std::from_chars(parts[0].data(), end, load).ptr != end || load < 0)
    return Error{Code::invalid, "/proc/loadavg tells no load"};
  return load;
}

// "major minor name reads merged sectors_read ms writes merged sectors_written ..."; a sector has
// 512 bytes, whatever the disk.
Result<Traffic> parse_diskstats(std::string_view text) {
  constexpr std::size_t name = 2, sectors_read = 5, sectors_written = 9;
  constexpr std::uint64_t sector_bytes = 512;
  Traffic all;
  std::vector<std::string> disks;
  for (auto const& line : text::split(text, '\n')) {
    auto const parts = words(line);
    if (parts.empty()) continue;
    if (parts.size() <= sectors_written)
      return Error{Code::invalid, "/proc/diskstats has a line that is too short"};
    auto const is_part = std::any_of(disks.begin(), disks.end(), [&](auto const& disk) {
      return is_partition_of(parts[name], disk);
    });
    if (is_part || is_built_on_disks(parts[name])) continue;
    disks.push_back(parts[name]);
    add_count(all.in_bytes, parts[sectors_read], sector_bytes);
    add_count(all.out_bytes, parts[sectors_written], sector_bytes);
  }
  return all;
}

// Two lines of titles, then "name: received_bytes and seven more, sent_bytes and seven more".
Result<Traffic> parse_net_dev(std::string_view text) {
  constexpr std::size_t received = 0, sent = 8;
  Traffic all;
  for (auto const& line : text::split(text, '\n')) {
    auto const colon = line.find(':');
    if (colon == line.npos) continue;
    auto const parts = words(line.substr(colon + 1));
    if (parts.size() <= sent)
      return Error{Code::invalid, "/proc/net/dev has a line that is too short"};
    if (text::trim(line.substr(0, colon)) == "lo") continue;
    add_count(all.in_bytes, parts[received]);
    add_count(all.out_bytes, parts[sent]);
  }
  return all;
}

double cpu_use(CpuTimes const& before, CpuTimes const& after) {
  auto const total = after.total_ticks - before.total_ticks;
  if (total <= 0) return 0;
  auto const busy = static_cast<double>(after.busy_ticks - before.busy_ticks);
  return std::clamp(busy / static_cast<double>(total), 0.0, 1.0);
}

}  // namespace lepton::node
