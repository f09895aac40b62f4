#pragma once
// The shape of a job spec file. Amounts are still text here (amounts.hpp); what a spec may not say
// yet stands in unsupported.hpp. The texts of this list are the reference of the spec. Pure; any
// thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/values.hpp"

namespace lepton::cli {

enum class SpecType : std::uint8_t { unknown, job, service };
consteval auto enumerators(SpecType) {
  return std::to_array<std::string_view>({"unknown", "job", "service"});
}

enum class RetryOn : std::uint8_t { unknown, error, interruption };
consteval auto enumerators(RetryOn) {
  return std::to_array<std::string_view>({"unknown", "error", "interruption"});
}

struct SpecResources {
  std::vector<std::string> gpu;
  std::string gpu_memory;
  std::optional<double> gpu_fraction;
  std::string cpus = "1";
  std::string memory = "512MiB";
  std::string disk;
  bool gpu_island = false;
  std::string bandwidth;
  std::string mig;
  bool gpu_numa = false;

  static consteval auto fields() {
    using schema::field;
    using R = SpecResources;
    return schema::fields(
        field(1, "gpu", &R::gpu, "2, H100, H100:8, or a list of these in order of preference.")
            .optional(),
        field(2, "gpu_memory", &R::gpu_memory, "Least memory of each GPU, for example 40GB.")
            .optional(),
        field(3, "gpu_fraction", &R::gpu_fraction, "Share of one GPU, above 0 and below 1.")
            .optional(),
        field(4, "cpus", &R::cpus, "CPU cores: 16, 16+, 0.5 or 500m.").optional(),
        field(5, "memory", &R::memory, "Memory: 64GB, 64GB+ or 512MiB.").optional(),
        field(6, "disk", &R::disk, "Scratch disk, for example 200GB.").optional(),
        field(60, "gpu_island", &R::gpu_island,
              "All GPUs of a task are of one island (NVLink); false: as few islands as can be.")
            .optional(),
        field(61, "bandwidth", &R::bandwidth,
              "Network of the node, counted and not enforced: 10Gbit or 800Mbit.")
            .optional(),
        field(62, "mig", &R::mig,
              "Each of gpu is a MIG instance of this profile: 1g.10gb; left out: never one.")
            .optional(),
        field(63, "gpu_numa", &R::gpu_numa,
              "All GPUs of a task are of one NUMA node, and it runs on the CPUs of that.")
            .optional());
  }
};
static_assert(schema::complete<SpecResources>());

struct SpecRetry {
  std::optional<std::vector<RetryOn>> on;
  std::vector<std::int32_t> exit_codes;
  std::uint32_t max = 0;
  std::string backoff = "1s";

  static consteval auto fields() {
    using schema::field;
    using R = SpecRetry;
    return schema::fields(
        field(1, "on", &R::on, "What is tried again: [error, interruption].").optional(),
        field(2, "exit_codes", &R::exit_codes, "Exit codes that are tried again.").optional(),
        field(3, "max", &R::max, "Further attempts after own failures.").bounds(0, 1000).optional(),
        field(4, "backoff", &R::backoff, "Wait before the next attempt, doubles: 5s.").optional());
  }
};
static_assert(schema::complete<SpecRetry>());

struct SpecTopology {
  std::string pack;
  std::string spread;

  static consteval auto fields() {
    using schema::field;
    using T = SpecTopology;
    return schema::fields(
        field(1, "pack", &T::pack, "All tasks within one value of this label: rack.").optional(),
        field(2, "spread", &T::spread, "Over as many values of this label as can be.").optional());
  }
};
static_assert(schema::complete<SpecTopology>());

enum class PricePreference : std::uint8_t { unknown, cheapest };
consteval auto enumerators(PricePreference) {
  return std::to_array<std::string_view>({"unknown", "cheapest"});
}

struct SpecPrice {
  std::optional<double> max_per_hour;
  std::optional<PricePreference> prefer;

  static consteval auto fields() {
    using schema::field;
    using P = SpecPrice;
    return schema::fields(
        field(1, "max_per_hour", &P::max_per_hour,
              "An hour of the node costs at most so much, in the site's currency: 3.00.")
            .optional(),
        field(2, "prefer", &P::prefer, "cheapest: a cheaper node before a better fit.").optional());
  }
};
static_assert(schema::complete<SpecPrice>());

struct SpecSite {
  std::string performance = "0";
  std::string availability = "0";
  std::string cost = "0";

  static consteval auto fields() {
    using schema::field;
    using T = SpecSite;
    return schema::fields(
        field(1, "performance", &T::performance, "Weight of 1 - label performance.").optional(),
        field(2, "availability", &T::availability, "Weight of 1 - label availability.").optional(),
        field(3, "cost", &T::cost, "Weight of what an hour of the node costs.").optional());
  }
};
static_assert(schema::complete<SpecSite>());

struct SpecData {
  std::string name;
  std::string size;
  std::string within = "0";

  static consteval auto fields() {
    using schema::field;
    using D = SpecData;
    return schema::fields(
        field(1, "name", &D::name, "A node with the label data/NAME has it."),
        field(2, "size", &D::size, "How much there is to fetch elsewhere: 150GiB.").optional(),
        field(3, "within", &D::within, "Fetching takes at most so long: 1h; 0: any time.")
            .optional());
  }
};
static_assert(schema::complete<SpecData>());

struct SpecExposure {
  std::string most;
  std::map<std::string, std::string> weights;

  static consteval auto fields() {
    using schema::field;
    using E = SpecExposure;
    return schema::fields(
        field(1, "most", &E::most, "The sum of weight x label exposure/WAY is at most that: 0.3."),
        field(2, "weights", &E::weights, "Of each way: {internet: 0.6, tenants: 0.4}."));
  }
};
static_assert(schema::complete<SpecExposure>());

struct SpecFile {
  std::string name;
  SpecType type = SpecType::job;
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> secrets;
  SpecResources resources;
  std::uint32_t nodes = 1;
  std::int32_t priority = 50;
  std::string pool = "default";
  std::string max_duration = "0";
  std::optional<SpecRetry> retry;
  std::string lease = "2m";
  bool autonomous = false;
  std::string stop_grace = "10s";
  std::string user;
  std::uint32_t ports = 0;
  NoFit no_fit = NoFit::wait;
  bool preemptible = true;
  std::string checkpoint_interval = "0";
  std::string min_runtime = "0";
  std::vector<std::string> requirements;
  std::vector<std::string> preferences;
  std::vector<std::string> tolerations;
  std::vector<std::string> regions;
  std::optional<SpecTopology> topology;
  std::optional<SpecPrice> price;
  SpotUse spot = SpotUse::allowed;
  std::uint32_t on_demand_base = 0;
  std::map<std::string, std::string> limits;
  std::optional<SpecData> data;
  std::optional<SpecExposure> exposure;
  std::optional<SpecSite> site;
  std::uint32_t nodes_max = 0;
  std::uint32_t array = 0;
  std::uint32_t array_parallel = 0;
  std::vector<std::string> after;
  std::string image;
  std::string workdir;
  std::string image_credentials;

  static consteval auto fields() {
    using schema::field;
    using S = SpecFile;
    return schema::fields(
        field(1, "name", &S::name, "DNS label."), field(2, "type", &S::type, "job.").optional(),
        field(3, "command", &S::command, "Program and arguments, as a list."),
        field(4, "env", &S::env, "Environment of the tasks.").optional(),
        field(5, "secrets", &S::secrets, "NAME: vault://PATH.").optional(),
        field(6, "resources", &S::resources, "What each task asks for.").optional(),
        field(7, "nodes", &S::nodes, "Tasks that start together or not at all.")
            .bounds(1, 1024)
            .optional(),
        field(8, "priority", &S::priority, "0..100; higher goes first.").bounds(0, 100).optional(),
        field(9, "pool", &S::pool, "Pool of nodes.").optional(),
        field(10, "max_duration", &S::max_duration, "Time limit of an attempt: 4h.").optional(),
        field(11, "retry", &S::retry, "When a failed attempt is tried again.").optional(),
        field(12, "lease", &S::lease, "How long a cut-off node may run it: 2m.").optional(),
        field(13, "autonomous", &S::autonomous, "Keeps running while cut off.").optional(),
        field(14, "stop_grace", &S::stop_grace, "From SIGTERM to SIGKILL: 10s.").optional(),
        field(15, "user", &S::user, "System user of the tasks; not root.").optional(),
        field(16, "ports", &S::ports, "Ports for each task.").bounds(0, 64).optional(),
        field(17, "no_fit", &S::no_fit, "wait or refuse when nothing fits now.").optional(),
        field(18, "preemptible", &S::preemptible, "May be stopped for work of higher priority.")
            .optional(),
        field(19, "checkpoint_interval", &S::checkpoint_interval,
              "How often it saves its work: 15m; 0: never, a stop loses all.")
            .optional(),
        field(20, "min_runtime", &S::min_runtime, "Not preempted before it ran so long: 10m.")
            .optional(),
        field(60, "requires", &S::requirements,
              "Labels that a node must have: [zone=eu-1|eu-2, nvme, !spot].")
            .optional(),
        field(61, "prefers", &S::preferences, "Labels that it should have, the most wanted first.")
            .optional(),
        field(62, "tolerates", &S::tolerations,
              "Taints that do not keep it away: [maintenance, class=batch].")
            .optional(),
        field(63, "regions", &S::regions, "Allowed regions (label region of a node).").optional(),
        field(64, "topology", &S::topology, "How a gang lies: {pack: rack} or {spread: rack}.")
            .optional(),
        field(65, "array", &S::array,
              "So many jobs of this spec, told apart by $LEPTON_ARRAY_INDEX.")
            .bounds(0, 10'000)
            .optional(),
        field(66, "array_parallel", &S::array_parallel, "So many at one time; 0: any number.")
            .bounds(0, 10'000)
            .optional(),
        field(67, "after", &S::after, "Jobs that must have ended before: [prepare, check:any].")
            .optional(),
        field(68, "price", &S::price, "{max_per_hour: 3.00, prefer: cheapest}.").optional(),
        field(69, "spot", &S::spot, "Spot nodes: never, allowed, preferred or only.").optional(),
        field(70, "on_demand_base", &S::on_demand_base, "So many on other nodes before a spot one.")
            .bounds(0, 10'000)
            .optional(),
        field(71, "limits", &S::limits, "Labels at most so high: {latency_ms: 20}.").optional(),
        field(72, "data", &S::data, "{name: imagenet, size: 150GiB, within: 1h}.").optional(),
        field(73, "exposure", &S::exposure, "{most: 0.3, weights: {internet: 0.6}}.").optional(),
        field(74, "site", &S::site, "{performance: 0.5, availability: 0.3, cost: 0.2}.").optional(),
        field(75, "nodes_max", &S::nodes_max, "Workers join it while it runs, up to so many.")
            .bounds(0, 1024)
            .optional(),
        field(90, "image", &S::image, "Container image to run in: pytorch/pytorch:2.1.").optional(),
        field(110, "workdir", &S::workdir,
              "Folder that is sent along, from the spec file on or absolute; each task has a copy. "
              ".leptonignore or .gitignore say what stays at home.")
            .optional(),
        field(112, "image_credentials", &S::image_credentials,
              "vault://PATH of what opens the registry: USER:PASSWORD, or Docker's config.json.")
            .optional());
  }
};
static_assert(schema::complete<SpecFile>());

}  // namespace lepton::cli
