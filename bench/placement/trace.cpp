#include "bench/placement/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "common/base/text.hpp"

namespace lepton::bench {

namespace {

constexpr std::string_view prefix = "openb_pod_list_", suffix = ".csv";

Result<std::vector<std::vector<std::string>>> read_csv(std::string const& path,
                                                       std::size_t columns) {
  std::ifstream file(path);
  if (!file) return Error{Code::not_found, "no file " + path};
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    auto row = text::split(line, ',');
    if (row.size() < columns)
      return Error{Code::invalid,
                   fmt::format("{}: a row of {} columns, not {}", path, row.size(), columns)};
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<ResourceRequest> to_request(std::vector<std::string> const& row) {
  std::array<std::int64_t, 4> n{};
  for (std::size_t i = 0; i < n.size(); ++i) {
    auto const value = text::parse_int(row[i + 1]);
    if (!value) return Error{Code::invalid, row[0] + ": '" + row[i + 1] + "' is no number"};
    n[i] = *value;
  }
  ResourceRequest r;
  r.cpu_milli = n[0];
  r.memory_mib = n[1];
  r.gpus = static_cast<std::uint32_t>(n[2]);
  if (r.gpus == 1) r.gpu_milli = static_cast<std::uint32_t>(n[3]);
  if (r.gpus > 0 && row.size() > 5 && !row[5].empty()) r.gpu_models = text::split(row[5], '|');
  return r;
}

}  // namespace

std::uint64_t Dice::next() {
  auto z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::int64_t gpu_milli(ResourceRequest const& r) {
  return std::int64_t{r.gpus} * r.gpu_milli;
}

Result<std::vector<deployer::NodeSpec>> read_nodes(std::string const& folder) {
  auto rows = read_csv(folder + "/openb_node_list_gpu_node.csv", 5);
  if (!rows) return rows.error();
  std::vector<deployer::NodeSpec> nodes;
  for (auto const& row : *rows) {
    auto const cpu = text::parse_int(row[1]), memory = text::parse_int(row[2]),
               gpus = text::parse_int(row[3]);
    if (!cpu || !memory || !gpus) return Error{Code::invalid, "node " + row[0] + " is unreadable"};
    deployer::NodeSpec node{{row[0]}, PoolId{"default"}, {*cpu, *memory, 0, {}, 0, 0}};
    for (std::int64_t i = 0; i < *gpus; ++i)
      node.capacity.gpus.push_back({fmt::format("{}-{}", row[0], i), row[4], 0});
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
  auto rows = read_csv(fmt::format("{}/{}{}{}", folder, prefix, name, suffix), 5);
  if (!rows) return rows.error();
  std::sort(rows->begin(), rows->end());
  Trace trace{name, {}, {}};
  std::map<deployer::TaskClass, double> counts;
  for (auto const& row : *rows) {
    auto request = to_request(row);
    if (!request) return request.error();
    counts[deployer::TaskClass::of(*request)] += 1;
    trace.pods.push_back(std::move(*request));
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
