#pragma once
// Values that several services speak of: what work asks for, what a node has, what was given to
// whom. Units: CPU in thousandths of a core, memory and disk in MiB, bandwidth in Mbit/s, GPU
// shares in thousandths of one GPU.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/constraints.hpp"
#include "schemas/ids.hpp"
#include "schemas/probe.hpp"

namespace lepton {

// What one task (one member of a gang) asks for.
struct ResourceRequest {
  std::int64_t cpu_milli = 1000;
  std::int64_t memory_mib = 512;
  std::int64_t disk_mib = 0;
  std::uint32_t gpus = 0;
  std::uint32_t gpu_milli = 1000;
  std::int64_t gpu_memory_mib = 0;
  std::vector<std::string> gpu_models;
  std::uint32_t ports = 0;
  Constraints where;
  std::int64_t bandwidth_mbit = 0;
  std::string mig_profile;

  bool operator==(ResourceRequest const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = ResourceRequest;
    return schema::fields(
        field(1, "cpu_milli", &R::cpu_milli, "CPU, thousandths of a core.").bounds(0, 1e7),
        field(2, "memory_mib", &R::memory_mib, "Memory, MiB.").bounds(0, 1e9),
        field(3, "disk_mib", &R::disk_mib, "Scratch disk, MiB.").bounds(0, 1e10),
        field(4, "gpus", &R::gpus, "GPUs; each gives gpu_milli of itself.").bounds(0, 1024),
        field(5, "gpu_milli", &R::gpu_milli,
              "Share of each GPU, 1..1000; below 1000 only with gpus = 1.")
            .bounds(1, 1000),
        field(6, "gpu_memory_mib", &R::gpu_memory_mib,
              "Least memory of each GPU, MiB; 0 means any.")
            .bounds(0, 1e7),
        field(7, "gpu_models", &R::gpu_models,
              "Accepted models in order of preference; empty means any."),
        field(8, "ports", &R::ports, "Ports to reserve on the node.").bounds(0, 64),
        field(60, "where", &R::where, "What it says about nodes beside amounts.").since(3),
        field(61, "bandwidth_mbit", &R::bandwidth_mbit,
              "Network, Mbit/s; counted, and not enforced.")
            .bounds(0, 1e9)
            .since(4),
        field(62, "mig_profile", &R::mig_profile,
              "Each of `gpus` is a MIG instance of this profile, for example 1g.10gb; empty: a "
              "whole GPU or a share of one.")
            .since(4));
  }
};
static_assert(schema::complete<ResourceRequest>());

struct GpuDevice {
  std::string uuid;
  std::string model;
  std::int64_t memory_mib = 0;
  std::uint32_t island = 0;
  std::string mig_profile;
  std::int32_t numa = -1;
  std::uint32_t milli = 1000;

  bool operator==(GpuDevice const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "uuid", &GpuDevice::uuid, "UUID as the driver names it."),
        field(2, "model", &GpuDevice::model, "Model, for example H100."),
        field(3, "memory_mib", &GpuDevice::memory_mib, "Memory of the device, MiB."),
        field(60, "island", &GpuDevice::island,
              "Devices of one node with the same number share a fast link, such as NVLink.")
            .bounds(0, 1023)
            .since(3),
        field(61, "mig_profile", &GpuDevice::mig_profile,
              "Profile, when it is a MIG instance, for example 1g.10gb; empty: a whole GPU.")
            .since(4),
        field(62, "numa", &GpuDevice::numa, "NUMA node that it hangs on; -1: nobody says.")
            .bounds(-1, 1023)
            .since(4),
        field(63, "milli", &GpuDevice::milli,
              "What is offered of it, thousandths; below 1000 only in a slice of the machine.")
            .bounds(0, 1000)
            .since(5));
  }
};
static_assert(schema::complete<GpuDevice>());

// What a node offers to work.
struct NodeCapacity {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t disk_mib = 0;
  std::vector<GpuDevice> gpus;
  std::uint32_t port_first = 0;
  std::uint32_t port_count = 0;
  std::int64_t bandwidth_mbit = 0;
  std::int64_t price_per_hour_micro = 0;
  bool spot = false;

  bool operator==(NodeCapacity const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using C = NodeCapacity;
    return schema::fields(
        field(1, "cpu_milli", &C::cpu_milli, "CPU, thousandths of a core.").bounds(0, 1e7),
        field(2, "memory_mib", &C::memory_mib, "Memory, MiB.").bounds(0, 1e9),
        field(3, "disk_mib", &C::disk_mib, "Scratch disk, MiB.").bounds(0, 1e10),
        field(4, "gpus", &C::gpus, "The GPUs in the order of their index."),
        field(5, "port_first", &C::port_first, "First port that work may be given.")
            .bounds(0, 65535),
        field(6, "port_count", &C::port_count, "How many ports follow.").bounds(0, 65535),
        field(7, "bandwidth_mbit", &C::bandwidth_mbit, "Network, Mbit/s; 0: none is offered.")
            .bounds(0, 1e9)
            .since(4),
        field(8, "price_per_hour_micro", &C::price_per_hour_micro,
              "What an hour of the node costs, millionths of the site's currency; 0: nothing.")
            .bounds(0, static_cast<double>(price_micro_max))
            .since(4),
        field(9, "spot", &C::spot, "Its owner may take it away at short notice.").since(4));
  }
};
static_assert(schema::complete<NodeCapacity>());

struct GpuShare {
  std::uint32_t index = 0;
  std::uint32_t milli = 1000;

  auto operator<=>(GpuShare const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "index", &GpuShare::index, "Index of the GPU on its node."),
        field(2, "milli", &GpuShare::milli, "Share given, thousandths of the GPU.")
            .bounds(1, 1000));
  }
};
static_assert(schema::complete<GpuShare>());

// What one task was given, on one node.
struct Allocation {
  NodeId node;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t disk_mib = 0;
  std::vector<GpuShare> gpus;
  std::vector<std::uint32_t> ports;
  std::int64_t bandwidth_mbit = 0;

  bool operator==(Allocation const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using A = Allocation;
    return schema::fields(
        field(1, "node", &A::node, "The node."),
        field(2, "cpu_milli", &A::cpu_milli, "CPU, thousandths of a core."),
        field(3, "memory_mib", &A::memory_mib, "Memory, MiB."),
        field(4, "disk_mib", &A::disk_mib, "Scratch disk, MiB."),
        field(5, "gpus", &A::gpus, "Shares of GPUs."),
        field(6, "ports", &A::ports, "Ports reserved on the node."),
        field(7, "bandwidth_mbit", &A::bandwidth_mbit, "Network, Mbit/s.").since(4));
  }
};
static_assert(schema::complete<Allocation>());

// When a failed attempt is tried again.
struct RetryRule {
  std::uint32_t max = 0;
  bool on_error = false;
  bool on_interruption = true;
  std::vector<std::int32_t> exit_codes;
  std::int64_t backoff_ms = 1000;

  bool operator==(RetryRule const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = RetryRule;
    return schema::fields(
        field(1, "max", &R::max,
              "Further attempts after the first that the job's own failures may use.")
            .bounds(0, 1000),
        field(2, "on_error", &R::on_error, "Any non-zero exit code is tried again."),
        field(3, "on_interruption", &R::on_interruption,
              "A lost node or lease is tried again; such attempts do not count toward max."),
        field(4, "exit_codes", &R::exit_codes, "Exit codes that are tried again."),
        field(5, "backoff_ms", &R::backoff_ms,
              "Wait before the next attempt, ms; doubles each time.")
            .bounds(0, 3'600'000));
  }
};
static_assert(schema::complete<RetryRule>());

// What to do when no node can take the job now.
enum class NoFit : std::uint8_t { unknown, wait, refuse };
consteval auto enumerators(NoFit) {
  return std::to_array<std::string_view>({"unknown", "wait", "refuse"});
}

// What the end of another job must be for this one to start.
enum class AfterEnd : std::uint8_t { unknown, ok, any, failed };
consteval auto enumerators(AfterEnd) {
  return std::to_array<std::string_view>({"unknown", "ok", "any", "failed"});
}

struct Dependency {
  std::string job;
  AfterEnd end = AfterEnd::ok;

  bool operator==(Dependency const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using D = Dependency;
    return schema::fields(
        field(1, "job", &D::job, "Identity, a unique start of it, or the name of one's newest."),
        field(2, "end", &D::end, "How it must end: ok, any or failed.").optional());
  }
};
static_assert(schema::complete<Dependency>());

struct JobSpec {
  std::string name;
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> secrets;
  ResourceRequest resources;
  std::uint32_t nodes = 1;
  PoolId pool{"default"};
  std::int32_t priority = 50;
  std::int64_t max_duration_ms = 0;
  RetryRule retry;
  std::int64_t lease_ms = 30'000;
  bool autonomous = false;
  std::int64_t stop_grace_ms = 10'000;
  std::string user;
  NoFit no_fit = NoFit::wait;
  bool preemptible = true;
  std::int64_t checkpoint_interval_ms = 0;
  std::int64_t min_runtime_ms = 0;
  Probes probes;
  std::uint32_t array = 0;
  std::uint32_t array_parallel = 0;
  std::vector<Dependency> after;
  std::string image;
  bool gang_port = false;
  std::string workdir;
  std::string image_credentials;
  std::uint32_t on_demand_base = 0;
  std::uint32_t nodes_max = 0;

  bool operator==(JobSpec const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using J = JobSpec;
    return schema::fields(
        field(1, "name", &J::name, "DNS label."),
        field(2, "command", &J::command, "Program and arguments; no shell unless it names one."),
        field(3, "env", &J::env, "Environment."),
        field(4, "secrets", &J::secrets, "Environment name to vault://PATH."),
        field(5, "resources", &J::resources, "What each task of the gang asks for."),
        field(6, "nodes", &J::nodes, "Tasks that start together or not at all.").bounds(1, 1024),
        field(7, "pool", &J::pool, "Pool of nodes."),
        field(8, "priority", &J::priority, "0..100; higher goes first.").bounds(0, 100),
        field(9, "max_duration_ms", &J::max_duration_ms,
              "Time limit of an attempt, ms; 0 means none.")
            .bounds(0, 1e12),
        field(10, "retry", &J::retry, "When a failed attempt is tried again."),
        field(11, "lease_ms", &J::lease_ms, "How long a cut-off node may keep running it, ms.")
            .bounds(1000, 1e9),
        field(12, "autonomous", &J::autonomous,
              "Keeps running while cut off, and holds its place."),
        field(13, "stop_grace_ms", &J::stop_grace_ms, "From SIGTERM to SIGKILL, ms.")
            .bounds(0, 3'600'000),
        field(14, "user", &J::user, "System user of the tasks; empty means the node's default."),
        field(15, "no_fit", &J::no_fit, "Wait in the queue or be refused when nothing fits now."),
        field(16, "preemptible", &J::preemptible, "May be stopped for work of higher priority.")
            .since(2),
        field(17, "checkpoint_interval_ms", &J::checkpoint_interval_ms,
              "It saves its work so often, ms; 0: never, a stop loses all of an attempt.")
            .bounds(0, 1e12)
            .since(2),
        field(18, "min_runtime_ms", &J::min_runtime_ms,
              "An attempt runs at least so long before it may be preempted, ms.")
            .bounds(0, 1e12)
            .since(2),
        field(40, "probes", &J::probes, "How a node asks whether a replica is well.").since(2),
        field(60, "array", &J::array, "So many jobs of this spec, numbered from 0; 0: one alone.")
            .bounds(0, 10'000)
            .since(3),
        field(61, "array_parallel", &J::array_parallel,
              "At most so many of an array run at one time; 0: any number.")
            .bounds(0, 10'000)
            .since(3),
        field(62, "after", &J::after, "It waits until these have ended.").since(3),
        field(90, "image", &J::image,
              "Container image that each task runs in; empty: a process of its node.")
            .since(3),
        field(110, "gang_port", &J::gang_port,
              "The last port of each task is for the gang; MASTER_PORT is that of the first task.")
            .since(3),
        field(111, "workdir", &J::workdir,
              "Folder that each task gets a copy of to work in, by the identity that "
              "WorkdirCommit gave; empty: none.")
            .since(3),
        field(112, "image_credentials", &J::image_credentials,
              "vault://PATH of what opens the image's registry; empty: it is open.")
            .since(4),
        field(113, "on_demand_base", &J::on_demand_base,
              "None of its array or service goes to a spot node before so many of it stand on "
              "other nodes.")
            .bounds(0, 10'000)
            .since(4),
        field(180, "nodes_max", &J::nodes_max,
              "While all of `nodes` run, workers join them up to so many; 0: none do.")
            .bounds(0, 1024)
            .since(5));
  }
};
static_assert(schema::complete<JobSpec>());

}  // namespace lepton
