#include "tests/sim/arguments.hpp"

#include "common/base/text.hpp"

namespace lepton::sim {

bool Arguments::flag(std::string const& option) {
  bool* const known = option == "--first"      ? &first
                      : option == "--as-found" ? &as_found
                      : option == "--calm"     ? &calm
                                               : nullptr;
  if (known != nullptr) *known = true;
  return known != nullptr;
}

bool Arguments::set(std::string const& option, std::string const& value) {
  auto const is_own =
      option == "--seed" || option == "--seeds" || option == "--processes" || option == "--from";
  if (!is_own) {
    changes.emplace_back(option, value);
    return Plan().change(option, value);
  }
  auto const number = text::parse_int(value);
  if (!number || *number < 0) return false;
  auto const given = static_cast<std::uint64_t>(*number);
  if (option == "--seed") seed = given;
  if (option == "--seeds") seeds = given;
  if (option == "--processes") processes = given;
  if (option == "--from") from = given;
  return true;
}

std::optional<Arguments> Arguments::parse(std::vector<std::string> const& words) {
  Arguments a;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (a.flag(words[i])) continue;
    if (i + 1 == words.size() || !a.set(words[i], words[i + 1])) return std::nullopt;
    ++i;
  }
  if (a.seed.has_value() == a.seeds.has_value()) return std::nullopt;
  return a;
}

Plan Arguments::plan(std::uint64_t number) const {
  auto const of = (seed ? *seed : from) + number;
  auto plan = calm ? Plan::calm(of) : Plan::draw(of);
  for (auto const& [option, value] : changes) plan.change(option, value);
  return plan;
}

}  // namespace lepton::sim
