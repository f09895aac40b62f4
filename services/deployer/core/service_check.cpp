#include "services/deployer/core/service_check.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "services/deployer/core/spec_check.hpp"
#include "services/deployer/core/usage.hpp"

namespace lepton::deployer {
namespace {

Error bad(std::string const& path, std::string const& what) {
  return {Code::invalid, path + ": " + what};
}

bool is_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= 1024 &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Status check_probe(std::string const& name, std::optional<Probe> const& probe,
                   std::uint32_t ports) {
  if (!probe) return ok();
  auto const path = "probes." + name;
  if (probe->kind == ProbeKind::unknown) return bad(path, "must be http, tcp or command");
  if (probe->kind != ProbeKind::command && ports == 0)
    return bad(path, "asks at $PORT, but the task has no port; write ports: 1");
  if ((probe->kind == ProbeKind::http) != !probe->path.empty())
    return bad(path, "a path belongs to http, and only to it");
  if (!probe->path.empty() && !is_path(probe->path))
    return bad(path, "'" + probe->path.substr(0, 64) + "' must begin with '/' and hold no spaces");
  if ((probe->kind == ProbeKind::command) != !probe->command.empty())
    return bad(path, "words belong to command, and only to it");
  std::size_t bytes = 0;
  for (auto const& word : probe->command) bytes += word.size() + 1;
  if (bytes > 16'384) return bad(path, "the command is longer than 16 KiB");
  if (probe->period_ms < 100 || probe->period_ms > 3'600'000)
    return bad(path + ".period", "must be from 100ms to 1h");
  if (probe->timeout_ms < 50 || probe->timeout_ms > 60'000)
    return bad(path + ".timeout", "must be from 50ms to 60s");
  if (probe->successes < 1 || probe->successes > 100)
    return bad(path + ".successes", "must be from 1 to 100");
  if (probe->failures < 1 || probe->failures > 1000)
    return bad(path + ".failures", "must be from 1 to 1000");
  return ok();
}

Status check_probes(JobSpec const& task) {
  auto const& p = task.probes;
  auto const ports = task.resources.ports;
  if (auto good = check_probe("startup", p.startup, ports); !good) return good;
  if (auto good = check_probe("readiness", p.readiness, ports); !good) return good;
  return check_probe("liveness", p.liveness, ports);
}

Status check_numbers(ServiceSpec const& s) {
  if (s.max < 1 || s.max > 1000) return bad("replicas.max", "must be from 1 to 1000");
  if (s.min > s.max) return bad("replicas.min", "is above replicas.max");
  if (s.min == 0 && !s.scale)
    return bad("replicas.min", "is 0, and nobody would start the first replica; write scale, too");
  if (s.min == 0 && s.task.resources.ports == 0)
    return bad("replicas.min", "is 0, and no request could wake a service without a port");
  if (s.min == 0 && s.hold_ms < 1'000)
    return bad("hold", "must be at least 1s where replicas.min is 0");
  if (s.hold_ms < 0 || s.hold_ms > 600'000) return bad("hold", "must be from 0 to 10m");
  if (s.max_surge == 0 && s.max_unavailable == 0)
    return bad("update", "with max_surge and max_unavailable of 0 nothing could ever be replaced");
  if (s.max_surge > 1000 || s.max_unavailable > 1000)
    return bad("update", "max_surge and max_unavailable must be at most 1000");
  if (s.drain_ms < 0 || s.drain_ms > 3'600'000) return bad("drain", "must be from 0 to 1h");
  if (s.progress_ms < 1'000 || s.progress_ms > 86'400'000)
    return bad("update.progress", "must be from 1s to 1d");
  if (s.port > 65'535) return bad("port", "must be at most 65535");
  return ok();
}

// Use is a share of what a replica was given: that must be a number, and its alone.
Status check_scale(ServiceSpec const& spec) {
  if (!spec.scale) return ok();
  auto const& scale = *spec.scale;
  auto const& given = spec.task.resources;
  if (scale.limits.min != spec.min || scale.limits.max != spec.max)
    return bad("scale", "its limits must be those of replicas");
  if (!is_of_use(scale.signal)) return ok();
  if (scale.policy != "hpa" && scale.policy != "threshold")
    return bad("scale.policy",
               "must be hpa or threshold to follow " + std::string(schema::name_of(scale.signal)));
  if (scale.signal == ScaleSignal::cpu && given.cpu_milli == 0)
    return bad("scale.signal", "cpu is a share of resources.cpus, which is 0");
  if (scale.signal == ScaleSignal::gpu && (given.gpus == 0 || given.gpu_milli != 1000))
    return bad("scale.signal", "gpu needs whole GPUs: of a shared one nobody knows who uses it");
  return ok();
}

}  // namespace

Status check_service(ServiceSpec const& spec) {
  if (!text::is_dns_label(spec.name) || spec.name.size() > service_name_max)
    return bad("name", "'" + spec.name.substr(0, 64) +
                           "' must be a DNS label: a-z, 0-9 and '-', at most 50");
  if (auto good = check_numbers(spec); !good) return good;
  if (auto good = check_scale(spec); !good) return good;
  if (spec.task.name != spec.name) return bad("name", "the task has the name of its service");
  if (auto good = check_spec(JobId{"service"}, spec.task); !good) return good;
  if (spec.task.nodes != 1) return bad("nodes", "a replica is one task; write replicas instead");
  if (spec.task.max_duration_ms != 0)
    return bad("max_duration", "belongs to jobs; a service runs until it is removed");
  if (spec.task.retry != RetryRule{0, false, false, {}, 1000})
    return bad("retry", "belongs to jobs; a replica that has ended is replaced");
  if (spec.task.no_fit != NoFit::wait) return bad("no_fit", "belongs to jobs; replicas wait");
  if (spec.task.nodes_max != 0) return bad("nodes_max", "belongs to jobs; write replicas instead");
  if (spec.task.array != 0) return bad("array", "belongs to jobs; write replicas instead");
  if (!spec.task.after.empty()) return bad("after", "belongs to jobs");
  return check_probes(spec.task);
}

}  // namespace lepton::deployer
