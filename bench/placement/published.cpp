#include "bench/placement/published.hpp"

#include <map>

namespace lepton::bench {

namespace {

std::map<std::string, Published> const& figures() {
  static std::map<std::string, Published> const all{
      {"default", {4.77, 3.10}},    {"cpu050", {5.00, 3.10}},      {"cpu100", {4.79, 3.10}},
      {"cpu200", {5.18, 3.10}},     {"cpu250", {6.80, 3.10}},      {"gpushare40", {6.04, 4.35}},
      {"gpushare60", {8.75, 6.65}}, {"gpushare80", {10.92, 8.60}}, {"gpushare100", {13.36, 10.84}},
      {"gpuspec10", {5.34, 3.10}},  {"gpuspec20", {5.34, 3.10}},   {"gpuspec25", {6.09, 3.10}},
      {"gpuspec33", {12.16, 3.54}}, {"multigpu20", {4.47, 2.66}},  {"multigpu30", {3.64, 2.33}},
      {"multigpu40", {3.09, 2.00}}, {"multigpu50", {2.91, 1.66}}};
  return all;
}

}  // namespace

std::optional<Published> published_for(std::string const& trace) {
  auto const found = figures().find(trace);
  return found == figures().end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> published_traces() {
  std::vector<std::string> names;
  for (auto const& [name, figure] : figures()) names.push_back(name);
  return names;
}

}  // namespace lepton::bench
