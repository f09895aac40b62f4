#include "services/node/core/cpu_list.hpp"

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

std::optional<int> number_in(std::string_view text) {
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != text.npos)
    return std::nullopt;
  auto const number = text::parse_int(text).value_or(cpus_max);
  if (number >= cpus_max) return std::nullopt;
  return static_cast<int>(number);
}

}  // namespace

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  if (text.empty()) return cpus;
  for (auto const& range : text::split(text, ',')) {
    auto const dash = range.find('-');
    auto const first = number_in(std::string_view(range).substr(0, dash));
    auto const last =
        dash == range.npos ? first : number_in(std::string_view(range).substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    if (!cpus.empty() && *first <= cpus.back()) return std::nullopt;
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::string cpu_list_of(std::vector<int> const& rising) {
  std::string text;
  for (std::size_t i = 0; i < rising.size();) {
    auto end = i + 1;
    while (end < rising.size() && rising[end] == rising[end - 1] + 1) ++end;
    text += (text.empty() ? "" : ",") + std::to_string(rising[i]);
    if (end - i > 1) text += "-" + std::to_string(rising[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace lepton::node
