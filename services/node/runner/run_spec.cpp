#include "services/node/runner/run_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/image_name.hpp"
#include "common/base/text.hpp"
#include "schemas/array.hpp"
#include "schemas/gang.hpp"
#include "schemas/registry.hpp"
#include "services/node/core/cpu_list.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t arguments_max = 4096, variables_max = 4096, text_max = 512 << 10;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool has_nul(std::string_view s) {
  return s.find('\0') != s.npos;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && !is_digit(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

// The node sets these; a spec that could set them could claim devices or ports of another task.
bool is_reserved(std::string_view name) {
  // The deployer writes these into the spec of each job of an array, the node those of elastic
  // jobs.
  for (auto const* told :
       {array_index_variable, array_size_variable, nodes_min_variable, nodes_max_variable})
    if (name == told) return false;
  if (name == "CUDA_VISIBLE_DEVICES" || name.starts_with("LEPTON_")) return true;
  if (!name.starts_with("PORT")) return false;
  auto const rest = name.substr(4);
  return std::all_of(rest.begin(), rest.end(), is_digit);
}

Error invalid(std::string what) {
  return {Code::invalid, std::move(what)};
}

Status check_variable(std::string_view name, std::string_view value) {
  if (!is_variable_name(name))
    return invalid(fmt::format(
        "'{}' is no environment variable name; use letters, digits and '_', no digit first", name));
  if (is_reserved(name))
    return invalid(fmt::format("the environment variable {} is set by the node; remove it", name));
  if (has_nul(value)) return invalid(fmt::format("the value of {} holds a NUL byte", name));
  return ok();
}

Status check_command(RunSpec const& spec) {
  if (spec.command.empty() || spec.command[0].empty())
    return invalid("the command is empty; give a program to run");
  if (spec.command.size() > arguments_max)
    return invalid(fmt::format("the command has more than {} arguments", arguments_max));
  if (std::any_of(spec.command.begin(), spec.command.end(), has_nul))
    return invalid("an argument of the command holds a NUL byte");
  if (!spec.image.empty() && !is_image(spec.image))
    return invalid(fmt::format("'{}' is no image; write [registry/]name[:tag]", spec.image));
  if (!spec.engine_socket.empty() && (spec.engine_socket[0] != '/' || has_nul(spec.engine_socket)))
    return invalid("engine_socket must be an absolute path");
  if (!spec.working_dir.empty() && (spec.working_dir[0] != '/' || has_nul(spec.working_dir)))
    return invalid("working_dir must be an absolute path");
  if (!spec.folder.empty() && (spec.folder[0] != '/' || has_nul(spec.folder)))
    return invalid("folder must be an absolute path");
  return ok();
}

Status check_limits(RunSpec const& spec) {
  struct Limit {
    std::string_view name;
    std::int64_t value, min, max;
  };
  constexpr std::int64_t year_ms = 366LL * 24 * 3600 * 1000;
  for (auto const& [name, value, min, max] :
       {Limit{"cpu_milli", spec.cpu_milli, 0, 100'000'000},
        Limit{"memory_mib", spec.memory_mib, 0, std::int64_t{1} << 32},
        Limit{"pids_max", spec.pids_max, 0, 1 << 22},
        Limit{"max_duration_ms", spec.max_duration_ms, 0, 100 * year_ms},
        Limit{"stop_grace_ms", spec.stop_grace_ms, 0, 24 * 3600 * 1000},
        Limit{"lease_ms", spec.lease_ms, spec.autonomous ? 0 : 1, year_ms},
        Limit{"lease_until_ms", spec.lease_until_ms, 0, 1000 * year_ms},
        Limit{"log_bytes_max", spec.log_bytes_max, 0, std::int64_t{1} << 40}}) {
    if (value < min || value > max)
      return invalid(fmt::format("{} is {}, it must be {} to {}", name, value, min, max));
  }
  return ok();
}

Status check_lists(RunSpec const& spec) {
  if (!parse_cpu_list(spec.cpus))
    return invalid(fmt::format("'{}' is no list of CPUs; write for example 0-15,32-47",
                               spec.cpus.substr(0, 64)));
  if (spec.gpu_uuids.size() > 1024) return invalid("more than 1024 GPUs in one attempt");
  if (spec.ports.size() > 1024) return invalid("more than 1024 ports in one attempt");
  for (auto const& uuid : spec.gpu_uuids)
    if (!is_safe_name(uuid)) return invalid(fmt::format("'{}' is no GPU UUID", uuid));
  for (auto const port : spec.ports)
    if (port == 0) return invalid("port 0 is no port");
  if (!spec.user.empty() && !is_safe_name(spec.user))
    return invalid(fmt::format("'{}' is no user name", spec.user));
  return ok();
}

Status check_environment(RunSpec const& spec, Secrets const& secrets) {
  if (spec.env.size() + secrets.size() > variables_max)
    return invalid(fmt::format("more than {} environment variables", variables_max));
  std::size_t size = 0;
  for (auto const& [name, value] : spec.env) {
    if (auto good = check_variable(name, value); !good) return good;
    size += name.size() + value.size();
  }
  for (auto const& [name, value] : secrets) {
    auto const is_for_image = name == registry_secret && !spec.image.empty();
    if (auto good = check_variable(is_for_image ? "X" : name, value.reveal()); !good) return good;
    if (spec.env.contains(name))
      return invalid(fmt::format("{} is given as env and as secret; keep one", name));
    size += name.size() + value.reveal().size();
  }
  for (auto const& argument : spec.command) size += argument.size();
  if (size > text_max)
    return invalid(
        fmt::format("command and environment are {} bytes, the limit is {}; pass large "
                    "values as files",
                    size, text_max));
  return ok();
}

}  // namespace

bool is_safe_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

Status validate(RunSpec const& spec, Secrets const& secrets) {
  if (!is_safe_name(spec.attempt))
    return invalid(fmt::format("'{}' is no attempt id", spec.attempt));
  if (!is_safe_name(spec.task)) return invalid(fmt::format("'{}' is no task id", spec.task));
  if (auto good = check_command(spec); !good) return good;
  if (auto good = check_limits(spec); !good) return good;
  if (auto good = check_lists(spec); !good) return good;
  return check_environment(spec, secrets);
}

Status check_resize(RunSpec const& spec, RunLimits const& limits) {
  if (limits.cpu_milli < 0 || limits.memory_mib < 0 ||
      (limits.cpu_milli == 0) != (spec.cpu_milli == 0) ||
      (limits.memory_mib == 0) != (spec.memory_mib == 0))
    return invalid("a limit cannot be taken away or added while the attempt runs");
  auto resized = spec;
  resized.cpu_milli = limits.cpu_milli;
  resized.memory_mib = limits.memory_mib;
  return check_limits(resized);
}

std::string encode(RunSpec const& spec) {
  Record record;
  record.put("attempt", spec.attempt);
  record.put("task", spec.task);
  record.put("user", spec.user);
  for (auto const& argument : spec.command) record.put("arg", argument);
  record.put("image", spec.image);
  record.put("engine_socket", spec.engine_socket);
  for (auto const& [name, value] : spec.env) record.put("env", name + "=" + value);
  record.put("cpu_milli", spec.cpu_milli);
  record.put("memory_mib", spec.memory_mib);
  record.put("pids_max", spec.pids_max);
  record.put("cpus", spec.cpus);
  for (auto const& uuid : spec.gpu_uuids) record.put("gpu", uuid);
  for (auto const port : spec.ports) record.put("port", std::int64_t{port});
  record.put("listen", spec.listen);
  record.put("working_dir", spec.working_dir);
  record.put("folder", spec.folder);
  record.put("max_duration_ms", spec.max_duration_ms);
  record.put("stop_grace_ms", spec.stop_grace_ms);
  record.put("lease_ms", spec.lease_ms);
  record.put("lease_until_ms", spec.lease_until_ms);
  record.put("autonomous", std::int64_t{spec.autonomous});
  record.put("log_bytes_max", spec.log_bytes_max);
  return record.encode();
}

Result<RunSpec> decode_run_spec(std::string_view text) {
  auto const record = Record::decode(text);
  if (!record) return record.error();
  RunSpec spec;
  spec.attempt = record->text("attempt");
  spec.task = record->text("task");
  spec.user = record->text("user");
  spec.command = record->all("arg");
  spec.image = record->text("image");
  spec.engine_socket = record->text("engine_socket");
  for (auto const& pair : record->all("env")) spec.env.insert(split_pair(pair));
  spec.cpu_milli = record->number("cpu_milli", -1);
  spec.memory_mib = record->number("memory_mib", -1);
  spec.pids_max = record->number("pids_max", -1);
  spec.cpus = record->text("cpus");
  spec.gpu_uuids = record->all("gpu");
  for (auto const& port : record->all("port")) {
    auto const number = text::parse_int(port).value_or(0);
    if (number < 1 || number > 65535) return invalid(fmt::format("'{}' is no port", port));
    spec.ports.push_back(static_cast<std::uint16_t>(number));
  }
  spec.listen = record->text("listen");
  spec.working_dir = record->text("working_dir");
  spec.folder = record->text("folder");
  spec.max_duration_ms = record->number("max_duration_ms", -1);
  spec.stop_grace_ms = record->number("stop_grace_ms", -1);
  spec.lease_ms = record->number("lease_ms", -1);
  spec.lease_until_ms = record->number("lease_until_ms", 0);
  spec.autonomous = record->number("autonomous", 0) != 0;
  spec.log_bytes_max = record->number("log_bytes_max", -1);
  if (auto good = validate(spec, {}); !good) return good.error();
  return spec;
}

}  // namespace lepton::node
