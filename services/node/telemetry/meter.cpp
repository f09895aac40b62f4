#include "services/node/telemetry/meter.hpp"

#include <optional>

namespace lepton::node {
namespace {

struct Out {
  std::vector<Measure> values;
  void add(Series series, std::optional<double> value, std::string const& part = "") {
    if (value) values.push_back({series, part, *value});
  }
};

void add_tasks(Out& out, std::vector<TaskSample> const& tasks) {
  for (auto const& task : tasks) {
    out.add(Series::task_cpu_cores, task.cpu_cores, task.attempt);
    out.add(Series::task_memory_mib, task.memory_mib, task.attempt);
  }
}

}  // namespace

std::vector<Measure> measures_of(Sample const& s, std::vector<TaskSample> const& tasks) {
  Out out;
  out.add(Series::cpu_use, s.cpu_use);
  out.add(Series::load_1m, s.load_1m);
  out.add(Series::memory_use, s.memory_use);
  out.add(Series::disk_use, s.disk_use);
  out.add(Series::disk_read_bytes_per_s, s.disk_read_bytes_per_s);
  out.add(Series::disk_write_bytes_per_s, s.disk_write_bytes_per_s);
  out.add(Series::network_receive_bytes_per_s, s.network_receive_bytes_per_s);
  out.add(Series::network_send_bytes_per_s, s.network_send_bytes_per_s);
  for (auto const& gpu : s.gpus) {
    out.add(Series::gpu_use, gpu.use, gpu.uuid);
    out.add(Series::gpu_memory_use, gpu.memory_use, gpu.uuid);
    out.add(Series::gpu_power_watts, gpu.power_watts, gpu.uuid);
    out.add(Series::gpu_temperature_celsius, gpu.temperature_celsius, gpu.uuid);
  }
  add_tasks(out, tasks);
  return std::move(out.values);
}

MachineMeter::MachineMeter(MachineOptions options, TaskMeter tasks)
    : machine_(options), tasks_(std::move(tasks)), now_(options.now) {}

Measured MachineMeter::measure() {
  auto const sample = machine_.sample();
  auto const tasks = tasks_.sample(now_());
  if (sample) return {measures_of(*sample, tasks), machine_.no_gpus_why()};
  Out out;
  add_tasks(out, tasks);
  return {std::move(out.values), sample.error().what};
}

}  // namespace lepton::node
