#include "bench/placement/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/replay/trace.hpp"

namespace lepton::bench {

namespace {

constexpr std::string_view prefix = "openb_pod_list_", suffix = ".csv";

Result<std::string> read_text(std::string const& path) {
  std::ifstream file(path);
  if (!file) return Error{Code::not_found, "no file " + path};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Error in_file(std::string const& path, Error const& error) {
  return {error.code, path + ": " + error.what};
}

// Few pods are months older than the rest, so the whole span says little.
double middle_rate(std::vector<cli::TracePod> const& rows) {
  std::vector<std::int64_t> at_s;
  for (auto const& row : rows) at_s.push_back(row.created_at);
  std::sort(at_s.begin(), at_s.end());
  auto const low = at_s.size() / 10, high = at_s.size() * 9 / 10;
  if (at_s.empty() || at_s[high] <= at_s[low]) return 0;
  return static_cast<double>(high - low) * 3600 / static_cast<double>(at_s[high] - at_s[low]);
}

}  // namespace

std::int64_t gpu_milli(ResourceRequest const& r) {
  return std::int64_t{r.gpus} * r.gpu_milli;
}

Result<std::vector<deployer::NodeSpec>> read_nodes(std::string const& folder) {
  auto const path = folder + "/openb_node_list_gpu_node.csv";
  auto const csv = read_text(path);
  if (!csv) return csv.error();
  auto const rows = cli::parse_nodes(*csv);
  if (!rows) return in_file(path, rows.error());
  std::vector<deployer::NodeSpec> nodes;
  for (auto const& row : *rows) {
    deployer::NodeSpec node{
        {row.name}, PoolId{"default"}, {row.cpu_milli, row.memory_mib, 0, {}, 0, 0}};
    for (std::uint32_t i = 0; i < row.gpus; ++i)
      node.capacity.gpus.push_back({fmt::format("{}-{}", row.name, i), row.model, 0});
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<std::string> trace_names(std::string const& folder) {
  std::vector<std::string> names;
  std::error_code absent;
  for (auto const& entry : std::filesystem::directory_iterator(folder, absent)) {
    auto const file = entry.path().filename().string();
    if (file.starts_with(prefix) && file.ends_with(suffix))
      names.push_back(file.substr(prefix.size(), file.size() - prefix.size() - suffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Trace> read_trace(std::string const& folder, std::string const& name) {
  auto const path = fmt::format("{}/{}{}{}", folder, prefix, name, suffix);
  auto const csv = read_text(path);
  if (!csv) return csv.error();
  auto rows = cli::parse_pods(*csv);
  if (!rows) return in_file(path, rows.error());
  std::sort(rows->begin(), rows->end(),
            [](auto const& a, auto const& b) { return a.name < b.name; });
  Trace trace{name, {}, {}, middle_rate(*rows)};
  std::map<deployer::TaskClass, double> counts;
  for (auto& row : *rows) {
    counts[deployer::TaskClass::of(row.resources)] += 1;
    trace.pods.push_back(std::move(row.resources));
  }
  for (auto const& [task, count] : counts)
    trace.mix.push_back({task, count / static_cast<double>(trace.pods.size())});
  return trace;
}

std::vector<ResourceRequest> workload(Trace const& trace, std::int64_t capacity_gpu_milli,
                                      double load, std::uint64_t seed) {
  Dice dice(seed);
  auto pods = trace.pods;
  dice.shuffle(pods);
  auto const wanted = load * static_cast<double>(capacity_gpu_milli);
  double asked = 0;
  for (auto const& pod : pods) asked += static_cast<double>(gpu_milli(pod));
  while (asked < wanted) {
    pods.push_back(trace.pods[dice.below(trace.pods.size())]);
    asked += static_cast<double>(gpu_milli(pods.back()));
  }
  while (asked > wanted) {
    auto& dropped = pods[dice.below(pods.size())];
    asked -= static_cast<double>(gpu_milli(dropped));
    dropped = std::move(pods.back());
    pods.pop_back();
  }
  return pods;
}

deployer::Cluster make_cluster(std::vector<deployer::NodeSpec> const& nodes, std::size_t count,
                               std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  Dice dice(seed);
  dice.shuffle(order);
  deployer::Cluster cluster;
  for (auto i : order) {
    auto node = nodes[i % nodes.size()];
    if (i >= nodes.size()) node.id.value += fmt::format("-{}", i / nodes.size());
    LEPTON_CHECK(cluster.upsert_node(std::move(node)).has_value(), "a node is refused");
  }
  return cluster;
}

}  // namespace lepton::bench
