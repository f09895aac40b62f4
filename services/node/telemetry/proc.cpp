#include "services/node/telemetry/proc.hpp"

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

std::vector<std::string> words(std::string_view line) {
  auto parts = text::split(line, ' ');
  std::erase_if(parts, [](std::string const& part) { return part.empty(); });
  return parts;
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
    times.total_ticks += *ticks;
    if (i != idle && i != iowait) times.busy_ticks += *ticks;
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

double cpu_use(CpuTimes const& before, CpuTimes const& after) {
  auto const total = after.total_ticks - before.total_ticks;
  if (total <= 0) return 0;
  auto const busy = static_cast<double>(after.busy_ticks - before.busy_ticks);
  return std::clamp(busy / static_cast<double>(total), 0.0, 1.0);
}

}  // namespace lepton::node
