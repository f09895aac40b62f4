#pragma once
// Turns the changes of a batch into few statements. Pure. Consecutive changes of one table with the
// same operation become one step; the steps of one table keep their order. Steps of different
// tables may change places, except that tables keep the order of their first step within a group;
// so that a foreign key between tables of one service must be DEFERRABLE INITIALLY DEFERRED.
// Upserts of one key in one step: the last one wins.

#include <vector>

#include "common/store/store.hpp"

namespace lepton::store {

struct Step {
  Op op;
  Table const* table;
  std::size_t depth = 0;           // number of key cells of an erase_to
  std::vector<Cells const*> rows;  // point into the batch
};

// COPY data and statements with parameters need separate round trips, so that tables which only see
// appends (`copies`) go first and everything else (`statements`) follows.
struct Plan {
  std::vector<Step> copies;
  std::vector<Step> statements;
};

// Appends of fewer rows than `copy_from_rows` go as statements when there are others anyway.
Plan make_plan(Batch const& batch, std::size_t copy_from_rows);

}  // namespace lepton::store
