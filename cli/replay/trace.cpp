#include "cli/replay/trace.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

constexpr std::size_t rows_max = 1'000'000;
constexpr std::size_t label_max = 63;
constexpr std::uint32_t port_first = 20'000;
constexpr std::uint32_t port_count = 1'000;

Error bad(std::size_t line, std::string const& what) {
  return {Code::invalid, "line " + std::to_string(line) + ": " + what};
}

// The rows of a CSV text by the names of its header. Quotes do not occur in traces and are refused.
class Rows {
 public:
  static Result<Rows> read(std::string_view csv, std::vector<std::string> const& required) {
    Rows rows;
    std::size_t number = 0;
    for (auto const& raw : text::split(csv, '\n')) {
      ++number;
      std::string_view line = raw;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) continue;
      if (line.find('"') != line.npos)
        return bad(number, "quotes are not supported; write the values plainly");
      auto cells = text::split(line, ',');
      if (rows.columns_.empty()) {
        rows.columns_ = std::move(cells);
        if (auto good = rows.check_header(required, number); !good) return good.error();
        continue;
      }
      if (cells.size() != rows.columns_.size())
        return bad(number, "has " + std::to_string(cells.size()) + " values, the header " +
                               std::to_string(rows.columns_.size()));
      rows.cells_.push_back(std::move(cells));
      rows.lines_.push_back(number);
      if (rows.cells_.size() > rows_max) return bad(number, "more than a million rows");
    }
    if (rows.columns_.empty()) return Error{Code::invalid, "the file is empty"};
    return rows;
  }

  std::size_t size() const { return cells_.size(); }
  std::size_t line(std::size_t row) const { return lines_[row]; }

  std::string text(std::size_t row, std::string const& column) const {
    auto const at = std::find(columns_.begin(), columns_.end(), column);
    return at == columns_.end() ? "" : cells_[row][static_cast<std::size_t>(at - columns_.begin())];
  }
  // An absent column or value is 0; the first problem is kept.
  std::int64_t number(std::size_t row, std::string const& column, std::int64_t most) {
    auto const text = this->text(row, column);
    if (text.empty()) return 0;
    auto const value = text::parse_int(text);
    if (value && *value >= 0 && *value <= most) return *value;
    if (problem_.what.empty())
      problem_ = bad(lines_[row], column + ": expected a whole number from 0 to " +
                                      std::to_string(most) + ", got '" + text.substr(0, 40) + "'");
    return 0;
  }
  Status good() const { return problem_.what.empty() ? ok() : Status(problem_); }

 private:
  Status check_header(std::vector<std::string> const& required, std::size_t number) const {
    for (auto const& name : required)
      if (std::find(columns_.begin(), columns_.end(), name) == columns_.end())
        return bad(number, "the header has no column '" + name + "'; is it the right file?");
    return ok();
  }

  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> cells_;
  std::vector<std::size_t> lines_;
  Error problem_{Code::invalid, ""};
};

constexpr std::int64_t cpu_max = 10'000'000;
constexpr std::int64_t memory_max = 1'000'000'000;
constexpr std::int64_t time_max = 1'000'000'000'000'000;

}  // namespace

Result<std::vector<TraceNode>> parse_nodes(std::string_view csv) {
  auto rows = Rows::read(csv, {"sn", "cpu_milli", "memory_mib", "gpu", "model"});
  if (!rows) return rows.error();
  std::vector<TraceNode> nodes;
  std::set<std::string> names;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    TraceNode node{rows->text(i, "sn"), rows->number(i, "cpu_milli", cpu_max),
                   rows->number(i, "memory_mib", memory_max),
                   static_cast<std::uint32_t>(rows->number(i, "gpu", 1024)),
                   rows->text(i, "model")};
    if (node.name.empty()) return bad(rows->line(i), "sn: the name is missing");
    if (!names.insert(label_of(node.name)).second)
      return bad(rows->line(i), "sn: node '" + node.name + "' stands twice");
    nodes.push_back(std::move(node));
  }
  if (auto good = rows->good(); !good) return good.error();
  return nodes;
}

Result<std::vector<TracePod>> parse_pods(std::string_view csv) {
  auto rows = Rows::read(csv, {"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"});
  if (!rows) return rows.error();
  std::vector<TracePod> pods;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    TracePod pod;
    pod.name = rows->text(i, "name");
    if (pod.name.empty()) return bad(rows->line(i), "name: the name is missing");
    auto& r = pod.resources;
    r.cpu_milli = rows->number(i, "cpu_milli", cpu_max);
    r.memory_mib = rows->number(i, "memory_mib", memory_max);
    r.gpus = static_cast<std::uint32_t>(rows->number(i, "num_gpu", 1024));
    auto const share = static_cast<std::uint32_t>(rows->number(i, "gpu_milli", 1000));
    r.gpu_milli = r.gpus == 1 && share > 0 ? share : 1000;
    if (r.gpus > 0)
      for (auto const& model : text::split(rows->text(i, "gpu_spec"), '|'))
        if (!model.empty()) r.gpu_models.push_back(model);
    pod.created_at = rows->number(i, "creation_time", time_max);
    pods.push_back(std::move(pod));
  }
  if (auto good = rows->good(); !good) return good.error();
  std::stable_sort(pods.begin(), pods.end(),
                   [](auto const& a, auto const& b) { return a.created_at < b.created_at; });
  return pods;
}

std::string label_of(std::string_view name) {
  std::string label;
  for (auto const ch : name.substr(0, label_max)) {
    bool const upper = ch >= 'A' && ch <= 'Z';
    bool const fits = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
    label += upper ? static_cast<char>(ch - 'A' + 'a') : fits ? ch : '-';
  }
  while (label.starts_with('-')) label.erase(0, 1);
  while (label.ends_with('-')) label.pop_back();
  return label.empty() ? "unnamed" : label;
}

Result<NodeDeclaration> declaration_of(TraceNode const& node, PoolId const& pool) {
  NodeDeclaration d;
  d.node.value = pool.value + "-" + label_of(node.name);
  if (d.node.value.size() > label_max)
    return Error{Code::invalid,
                 "the name '" + d.node.value +
                     "' of a node is longer than 63 characters; take a shorter --pool"};
  d.capacity.cpu_milli = node.cpu_milli;
  d.capacity.memory_mib = node.memory_mib;
  d.capacity.port_first = port_first;
  d.capacity.port_count = port_count;
  for (std::uint32_t i = 0; i < node.gpus; ++i)
    d.capacity.gpus.push_back({d.node.value + "-gpu-" + std::to_string(i), node.model, 0});
  return d;
}

JobSpec spec_of(TracePod const& pod, PoolId const& pool) {
  JobSpec spec;
  spec.name = label_of(pod.name);
  spec.command = {"true"};  // the simulated engine holds the resources and runs nothing
  spec.resources = pod.resources;
  spec.pool = pool;
  spec.no_fit = NoFit::refuse;
  return spec;
}

}  // namespace lepton::cli
