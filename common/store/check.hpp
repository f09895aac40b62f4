#pragma once
// What every store refuses before it touches a row, so that the memory twin and PostgreSQL agree: a
// wrong number or type of cells, a missing value, text that PostgreSQL cannot hold (NUL, bad
// UTF-8), a query without a sane limit. Pure; any thread.

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/store/store.hpp"

namespace lepton::store {

inline constexpr std::size_t max_batch_changes = 100'000;
inline constexpr std::size_t max_find_rows = 100'000;

// The sentence that says why the batch can never be written, or nothing.
std::optional<std::string> why_unwritable(Batch const& batch);

// Code::invalid with the reason, or ok.
Status check_query(Query const& query);

// Position of a column; nothing when the table has none of that name.
std::optional<std::size_t> column_index(Table const& table, std::string_view name);

// The key cells of a whole row.
Cells key_of(Table const& table, Cells const& row);

}  // namespace lepton::store
