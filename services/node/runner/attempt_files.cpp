#include "services/node/runner/attempt_files.hpp"

#include <fmt/format.h>

#include "common/schema/schema.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

template <class E>
E named(std::string_view name) {
  constexpr auto names = enumerators(E{});
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<E>(i);
  return E::unknown;
}

Record to_record(RunStatus const& status) {
  Record record;
  record.put("attempt", status.attempt);
  record.put("task", status.task);
  record.put("state", schema::name_of(status.state));
  record.put("reason", schema::name_of(status.reason));
  record.put("what", status.what);
  record.put("exit_code", std::int64_t{status.exit_code});
  record.put("signal", std::int64_t{status.signal});
  record.put("pid", status.pid);
  record.put("pid_start_ticks", status.pid_start_ticks);
  record.put("runner_pid", status.runner_pid);
  record.put("runner_start_ticks", status.runner_start_ticks);
  record.put("boot_id", status.boot_id);
  record.put("started_wall_ms", status.started_wall_ms);
  record.put("started_ms", status.started_ms);
  record.put("ended_wall_ms", status.ended_wall_ms);
  record.put("log_bytes", status.log_bytes);
  record.put("log_dropped_bytes", status.log_dropped_bytes);
  record.put("oom_kills", status.oom_kills);
  for (auto const& what : status.enforced) record.put("enforced", what);
  for (auto const& [what, why] : status.not_enforced) record.put("not_enforced", what + "=" + why);
  for (auto const& group : status.groups) record.put("group", group);
  return record;
}

}  // namespace

AttemptFiles::AttemptFiles(std::string_view state_folder, std::string_view attempt)
    : state_dir(state_folder),
      folder(fmt::format("{}/attempts/{}", state_dir, attempt)),
      spec(folder + "/spec"),
      status(folder + "/status"),
      status_reserve(folder + "/status.reserve"),
      lease(folder + "/lease"),
      stop(folder + "/stop"),
      limits(folder + "/limits"),
      log(folder + "/log"),
      out(folder + "/out"),
      work(folder + "/work") {}

std::string lock_path(std::string_view state_dir, std::string_view task) {
  return fmt::format("{}/locks/{}", state_dir, task);
}

std::string encode(RunStatus status) {
  status.what.resize(std::min<std::size_t>(status.what.size(), 600));
  for (auto& [what, why] : status.not_enforced) why.resize(std::min<std::size_t>(why.size(), 200));
  auto text = to_record(status).encode();
  if (text.size() <= status_size_max) return text;
  status.not_enforced.clear();
  status.what.resize(std::min<std::size_t>(status.what.size(), 100));
  text = to_record(status).encode();
  if (text.size() <= status_size_max) return text;
  status.groups.clear();
  return to_record(status).encode();
}

Result<RunStatus> decode_run_status(std::string_view text) {
  auto const record = Record::decode(text);
  if (!record) return record.error();
  RunStatus status;
  status.attempt = record->text("attempt");
  status.task = record->text("task");
  status.state = named<RunState>(record->text("state"));
  status.reason = named<EndReason>(record->text("reason"));
  if (status.attempt.empty() || status.task.empty() || status.state == RunState::unknown)
    return Error{Code::invalid, "the status names no attempt, task or known state"};
  status.what = record->text("what");
  status.exit_code = static_cast<int>(record->number("exit_code", -1));
  status.signal = static_cast<int>(record->number("signal", 0));
  status.pid = record->number("pid", 0);
  status.pid_start_ticks = record->number("pid_start_ticks", 0);
  status.runner_pid = record->number("runner_pid", 0);
  status.runner_start_ticks = record->number("runner_start_ticks", 0);
  status.boot_id = record->text("boot_id");
  status.started_wall_ms = record->number("started_wall_ms", 0);
  status.started_ms = record->number("started_ms", 0);
  status.ended_wall_ms = record->number("ended_wall_ms", 0);
  status.log_bytes = record->number("log_bytes", 0);
  status.log_dropped_bytes = record->number("log_dropped_bytes", 0);
  status.oom_kills = record->number("oom_kills", 0);
  status.enforced = record->all("enforced");
  for (auto const& pair : record->all("not_enforced")) {
    auto [what, why] = split_pair(pair);
    status.not_enforced.push_back({std::move(what), std::move(why)});
  }
  status.groups = record->all("group");
  return status;
}

Result<RunStatus> read_status(AttemptFiles const& files) {
  auto const text = read_file(files.status, 4 * status_size_max);
  if (!text) return text.error();
  return decode_run_status(*text);
}

Status write_first_status(AttemptFiles const& files, RunStatus const& status) {
  auto const text = encode(status);
  auto done = create_file_once(files.status, text);
  if (done || done.error().code != Code::exhausted || !terminal(status.state)) return done;
  return spend_reserve_once(files.status_reserve, status_size_max, files.status, text);
}

Status write_last_status(AttemptFiles const& files, RunStatus const& status) {
  auto const text = encode(status);
  if (auto done = spend_reserve(files.status_reserve, status_size_max, files.status, text); done)
    return done;
  return replace_file(files.status, text);
}

Result<RunSpec> read_spec(AttemptFiles const& files) {
  auto const text = read_file(files.spec, Record::size_max);
  if (!text) return text.error();
  return decode_run_spec(*text);
}

RunLimits read_limits(AttemptFiles const& files, RunSpec const& spec) {
  auto const text = read_file(files.limits, Record::size_max);
  auto const record = text ? Record::decode(*text) : Result<Record>(text.error());
  if (!record) return {spec.cpu_milli, spec.memory_mib};
  return {record->number("cpu_milli", spec.cpu_milli),
          record->number("memory_mib", spec.memory_mib)};
}

Status write_limits(AttemptFiles const& files, RunLimits const& limits) {
  Record record;
  record.put("cpu_milli", limits.cpu_milli);
  record.put("memory_mib", limits.memory_mib);
  return replace_file(files.limits, record.encode());
}

}  // namespace lepton::node
