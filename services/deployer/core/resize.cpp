#include "services/deployer/core/resize.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace lepton::deployer {
namespace {

// A node that is older than tickets returns none, nor does one that was told by such a deployer.
bool answers(SizeReport const& report, Resizing const& r) {
  return report.ticket == r.ticket || report.ticket == 0 || planted("older_size_believed");
}

}  // namespace

TaskSize larger(TaskSize const& a, TaskSize const& b) {
  return {std::max(a.cpu_milli, b.cpu_milli), std::max(a.memory_mib, b.memory_mib)};
}

Result<TaskSize> meant(TaskSize const& has, TaskSize const& asked) {
  constexpr std::int64_t cpu_milli_max = 10'000'000, memory_mib_max = 1'000'000'000;
  auto const check = [](char const* field, std::int64_t old, std::int64_t wanted,
                        std::int64_t most) -> Status {
    if (wanted < 0 || wanted > most)
      return Error{Code::invalid, std::string(field) + ": must be from 0 to " +
                                      std::to_string(most) + "; 0 leaves it as it is"};
    if (wanted > 0 && old == 0)
      return Error{Code::invalid, std::string(field) +
                                      ": the job runs without such a limit, and "
                                      "none can be added while it lives"};
    return ok();
  };
  if (auto good = check("size.cpu_milli", has.cpu_milli, asked.cpu_milli, cpu_milli_max); !good)
    return good.error();
  if (auto good = check("size.memory_mib", has.memory_mib, asked.memory_mib, memory_mib_max); !good)
    return good.error();
  TaskSize const size{asked.cpu_milli > 0 ? asked.cpu_milli : has.cpu_milli,
                      asked.memory_mib > 0 ? asked.memory_mib : has.memory_mib};
  if (size == has) return Error{Code::conflict, "the job has that size already"};
  return size;
}

bool take_size(Resizing& r, std::set<std::uint32_t>& agreed, std::uint32_t task,
               SizeReport const& report, std::string const& node) {
  bool const is_answer = answers(report, r);
  if (is_answer && report.size == target(r)) {
    agreed.insert(task);
    r.trouble.clear();
    return false;
  }
  agreed.erase(task);
  bool const refused = is_answer && report.refused == target(r);
  auto const what = "node " + node + ": " + report.why;
  if (refused && !r.back) {
    r.back = true;
    r.why = what;
    r.trouble.clear();
    ++r.ticket;
    agreed.clear();
    return true;
  }
  bool const passes = report.refused == TaskSize{} && !report.why.empty();
  if (refused || passes) r.trouble = what;
  return false;
}

bool is_over(std::set<std::uint32_t> const& agreed, std::vector<std::uint32_t> const& live) {
  return std::all_of(live.begin(), live.end(), [&](auto task) { return agreed.contains(task); });
}

}  // namespace lepton::deployer
