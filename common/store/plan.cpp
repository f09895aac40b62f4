#include "common/store/plan.hpp"

#include <algorithm>
#include <map>

#include "common/store/check.hpp"

namespace lepton::store {
namespace {

using Steps = std::vector<Step>;

bool joins(Step const& step, Change const& change) {
  return step.op == change.op && (change.op != Op::erase_to || step.depth == change.cells.size());
}

// Keeps the last row of each key, in the order of the first.
void keep_last(Step& step) {
  std::map<Cells, std::size_t> place;
  std::vector<Cells const*> kept;
  for (auto const* row : step.rows) {
    auto const [at, fresh] = place.try_emplace(key_of(*step.table, *row), kept.size());
    if (fresh)
      kept.push_back(row);
    else
      kept[at->second] = row;
  }
  step.rows = std::move(kept);
}

std::vector<Steps> by_table(Batch const& batch) {
  std::vector<Steps> tables;
  std::map<std::string_view, std::size_t> place;
  for (auto const& change : batch.changes) {
    auto const [at, fresh] = place.try_emplace(change.table->name, tables.size());
    if (fresh) tables.emplace_back();
    auto& steps = tables[at->second];
    if (steps.empty() || !joins(steps.back(), change))
      steps.push_back({change.op, change.table, change.cells.size(), {}});
    steps.back().rows.push_back(&change.cells);
  }
  return tables;
}

bool only_appends(Steps const& steps) {
  return steps.size() == 1 && steps[0].op == Op::append;
}

}  // namespace

Plan make_plan(Batch const& batch, std::size_t copy_from_rows) {
  auto tables = by_table(batch);
  bool const others = !std::all_of(tables.begin(), tables.end(), only_appends);
  Plan plan;
  for (auto& steps : tables) {
    for (auto& step : steps)
      if (step.op == Op::upsert && step.rows.size() > 1) keep_last(step);
    bool const copy = only_appends(steps) && (!others || steps[0].rows.size() >= copy_from_rows);
    auto& target = copy ? plan.copies : plan.statements;
    std::move(steps.begin(), steps.end(), std::back_inserter(target));
  }
  return plan;
}

}  // namespace lepton::store
