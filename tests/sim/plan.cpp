#include "tests/sim/plan.hpp"

#include <algorithm>
#include <limits>

#include "common/base/random.hpp"
#include "common/base/text.hpp"

namespace lepton::sim {
namespace {

constexpr std::string_view without = "--without";

}  // namespace

Plan Plan::draw(std::uint64_t seed) {
  Chance chance(seed ^ 0x706c616eu);
  Plan plan;
  plan.seed = seed;
  plan.faults = Faults::draw(seed);
  plan.knobs = Knobs::draw(seed);
  plan.trouble_ms = static_cast<TimeMs>(15'000 + chance.below(45'000));
  plan.jobs = static_cast<std::uint32_t>(4 + chance.below(24));
  for (auto const kind : chore_kinds())
    if (chance.happens(0.6)) plan.chores.insert(kind);
  return plan;
}

Plan Plan::calm(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.faults = Faults::none();
  for (auto const kind : chore_kinds()) plan.chores.insert(kind);
  plan.arguments = {"--calm"};
  return plan;
}

std::vector<std::string_view> Plan::chore_kinds() {
  return {"queries",  "drains",   "secrets", "quotas",  "marks",  "log",     "scaling", "alerts",
          "services", "commands", "resizes", "folders", "losses", "outputs", "slices",  "workers"};
}

bool Plan::leave_out(std::string_view kind) {
  auto const known = Faults::kinds();
  if (std::find(known.begin(), known.end(), kind) != known.end()) {
    faults = faults.without(kind);
    return true;
  }
  auto const all = chore_kinds();
  if (std::find(all.begin(), all.end(), kind) == all.end()) return false;
  chores.erase(kind);
  return true;
}

bool Plan::apply(std::string_view option, std::int64_t value) {
  constexpr std::int64_t count_max = std::numeric_limits<std::uint32_t>::max();
  if (value < 0) return false;
  if (option == "--jobs" && value <= count_max)
    jobs = static_cast<std::uint32_t>(value);
  else if (option == "--nodes" && value > 0 && value <= count_max)
    nodes = static_cast<std::uint32_t>(value);
  else if (option == "--trouble-ms")
    trouble_ms = value;
  else if (option == "--peace-ms")
    peace_ms = value;
  else if (option == "--point")
    faults.crash_at_point = static_cast<std::uint64_t>(value);
  else
    return false;
  return true;
}

bool Plan::apply(std::string_view option, std::string const& value) {
  if (option == without) {
    auto const kinds = text::split(value, ',');
    return std::all_of(kinds.begin(), kinds.end(), [&](auto const& k) { return leave_out(k); });
  }
  if (option == "--settings") {
    knobs = Knobs::usual();
    return value == "usual";
  }
  auto const number = text::parse_int(value);
  return number && apply(option, *number);
}

// Of an option that comes again the last value counts, but all that is left out stays out.
bool Plan::change(std::string const& option, std::string const& value) {
  if (!apply(option, value)) return false;
  auto const found = std::find(arguments.begin(), arguments.end(), option);
  if (found == arguments.end())
    arguments.insert(arguments.end(), {option, value});
  else
    *(found + 1) = option == without ? *(found + 1) + "," + value : value;
  return true;
}

std::string Plan::text() const {
  auto text = faults.text() + "\n  chores:";
  for (auto const chore : chores) text += " " + std::string(chore);
  return text;
}

std::string Plan::command() const {
  auto line = "scripts/sim --seed " + std::to_string(seed);
  for (auto const& argument : arguments) line += " " + argument;
  return line;
}

}  // namespace lepton::sim
