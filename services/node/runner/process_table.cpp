#include "services/node/runner/process_table.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "common/base/text.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t environ_max = std::size_t{4} << 20;

bool born_with(std::int64_t pid, std::string const& mark) {
  auto const environment = read_file("/proc/" + std::to_string(pid) + "/environ", environ_max);
  if (!environment) return false;
  return environment->starts_with(mark) ||
         environment->find(std::string(1, '\0') + mark) != std::string::npos;
}

// The session number stays taken while a member lives, so a stranger can lead it only after all
// members are gone; then the leader's start time differs.
bool session_is_ours(std::vector<ProcessEntry> const& all, std::int64_t pid, std::int64_t ticks) {
  if (pid <= 0) return false;
  auto const leader =
      std::find_if(all.begin(), all.end(), [&](ProcessEntry const& p) { return p.pid == pid; });
  return leader == all.end() || leader->start_ticks == ticks;
}

}  // namespace

std::optional<ProcessEntry> parse_stat(std::string_view line) {
  auto const open = line.find(" ("), close = line.rfind(") ");
  if (open == line.npos || close == line.npos || close < open) return std::nullopt;
  auto const fields = text::split(text::trim(line.substr(close + 2)), ' ');
  constexpr std::size_t state = 0, parent = 1, session = 3, start_time = 19;
  if (fields.size() <= start_time || fields[state].size() != 1) return std::nullopt;
  auto const pid = text::parse_int(line.substr(0, open));
  auto const ppid = text::parse_int(fields[parent]), sid = text::parse_int(fields[session]);
  auto const ticks = text::parse_int(fields[start_time]);
  if (!pid || !ppid || !sid || !ticks) return std::nullopt;
  return ProcessEntry{*pid, *ppid, *sid, *ticks, fields[state][0]};
}

std::optional<ProcessEntry> read_process(std::int64_t pid) {
  auto const line = read_file("/proc/" + std::to_string(pid) + "/stat", 8192);
  return line ? parse_stat(*line) : std::nullopt;
}

std::vector<ProcessEntry> list_processes() {
  std::vector<ProcessEntry> all;
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return all;
  while (auto const* entry = ::readdir(folder.get())) {
    auto const pid = text::parse_int(entry->d_name);
    if (!pid) continue;
    if (auto process = read_process(*pid)) all.push_back(*process);
  }
  return all;
}

std::vector<ProcessEntry> descendants(std::vector<ProcessEntry> const& all, std::int64_t root) {
  std::multimap<std::int64_t, ProcessEntry const*> children;
  for (auto const& process : all) children.emplace(process.parent, &process);
  std::vector<ProcessEntry> found;
  std::vector<std::int64_t> open{root};
  std::set<std::int64_t> seen{root};
  while (!open.empty()) {
    auto const parent = open.back();
    open.pop_back();
    for (auto [at, end] = children.equal_range(parent); at != end; ++at) {
      // The listing is no snapshot: a reused pid could close a circle.
      if (!seen.insert(at->second->pid).second) continue;
      open.push_back(at->second->pid);
      if (!at->second->dead()) found.push_back(*at->second);
    }
  }
  return found;
}

std::vector<ProcessEntry> members(std::vector<ProcessEntry> const& all, std::string_view output_dir,
                                  std::int64_t leader_pid, std::int64_t leader_start_ticks) {
  auto mark = "LEPTON_OUTPUT_DIR=" + std::string(output_dir);
  mark.push_back('\0');
  auto const by_session = session_is_ours(all, leader_pid, leader_start_ticks);
  std::vector<ProcessEntry> found;
  for (auto const& process : all) {
    if (process.dead()) continue;
    auto const in_session = by_session && process.session == leader_pid;
    if (in_session || born_with(process.pid, mark)) found.push_back(process);
  }
  return found;
}

bool signal_exactly(ProcessEntry const& process, int signal) {
  if (process.pid <= 1) return false;
  Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(process.pid), 0)));
  if (!handle) return false;
  auto const now = read_process(process.pid);
  if (!now || now->start_ticks != process.start_ticks) return false;
  return ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0) == 0;
}

}  // namespace lepton::node
