#include "services/deployer/core/decision.hpp"

namespace lepton::deployer {

EndsBy noting(EndsBy const& ends, NotedEnds& noted) {
  return [&ends, &noted](AttemptId const& attempt) {
    auto const at = ends(attempt);
    noted[attempt] = {attempt, at.has_value(), at.value_or(0)};
    return at;
  };
}

std::vector<AttemptEnd> listed(NotedEnds const& noted) {
  std::vector<AttemptEnd> all;
  all.reserve(noted.size());
  for (auto const& [attempt, end] : noted) all.push_back(end);
  return all;
}

EndsBy as_noted(std::vector<AttemptEnd> const& noted) {
  NotedEnds ends;
  for (auto const& end : noted) ends[end.attempt] = end;
  return [ends = std::move(ends)](AttemptId const& attempt) -> std::optional<WallMs> {
    auto const found = ends.find(attempt);
    if (found == ends.end() || !found->second.known) return std::nullopt;
    return found->second.ends_by_ms;
  };
}

}  // namespace lepton::deployer
