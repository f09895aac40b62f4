#include "common/store/check.hpp"

#include <fmt/format.h>

#include "common/base/utf8.hpp"

namespace lepton::store {
namespace {

bool fits(Cell const& cell, ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return std::holds_alternative<bool>(cell);
    case ColumnType::bigint:
      return std::holds_alternative<std::int64_t>(cell);
    case ColumnType::real:
      return std::holds_alternative<double>(cell);
    case ColumnType::text:
    case ColumnType::json:
      return std::holds_alternative<std::string>(cell);
    case ColumnType::bytes:
      return std::holds_alternative<Bytes>(cell);
  }
  return false;
}

// True for an escaped NUL inside a JSON document: six characters that jsonb cannot hold.
bool has_escaped_nul(std::string_view json) {
  for (std::size_t i = 0; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') continue;
    if (json.substr(i, 6) == "\\u0000") return true;
    ++i;  // skips the escaped character, which may be a backslash itself
  }
  return false;
}

std::optional<std::string> why_bad_text(std::string_view s, ColumnType type) {
  if (s.find('\0') != std::string_view::npos || (type == ColumnType::json && has_escaped_nul(s)))
    return "holds a NUL character, which PostgreSQL text cannot hold; send it as bytes";
  if (!text::is_utf8(s)) return "is not valid UTF-8; send it as bytes";
  return std::nullopt;
}

std::optional<std::string> why_bad_cell(Cell const& cell, Column const& column) {
  if (std::holds_alternative<Null>(cell)) {
    if (column.nullable && !column.is_key) return std::nullopt;
    return "is null, but the column needs a value";
  }
  if (!fits(cell, column.type)) return "has a value of another type than its column";
  if (auto const* s = std::get_if<std::string>(&cell)) return why_bad_text(*s, column.type);
  return std::nullopt;
}

std::optional<std::string> why_bad_erase_to(Change const& change) {
  auto const& table = *change.table;
  auto const n = change.cells.size();
  if (n == 0 || n > table.key.size() || table.columns[table.key[n - 1]].type != ColumnType::bigint)
    return fmt::format("erase_to on table '{}' must end at a bigint column of its key", table.name);
  return std::nullopt;
}

std::optional<std::string> why_unwritable(Change const& change) {
  LEPTON_CHECK(change.table != nullptr, "a change names its table");
  auto const& table = *change.table;
  LEPTON_CHECK(!table.key.empty(), "a table has a key");
  bool const whole = change.op == Op::append || change.op == Op::upsert;
  if (change.op == Op::erase_to) {
    if (auto why = why_bad_erase_to(change)) return why;
  } else if (change.cells.size() != (whole ? table.columns.size() : table.key.size())) {
    return fmt::format("table '{}' expects {} cells, not {}", table.name,
                       whole ? table.columns.size() : table.key.size(), change.cells.size());
  }
  for (std::size_t i = 0; i < change.cells.size(); ++i) {
    auto const& column = table.columns[whole ? i : table.key[i]];
    if (auto why = why_bad_cell(change.cells[i], column))
      return fmt::format("column '{}' of table '{}' {}", column.name, table.name, *why);
  }
  return std::nullopt;
}

Status refuse(std::string what) {
  return Error{Code::invalid, std::move(what)};
}

}  // namespace

std::optional<std::string> why_unwritable(Batch const& batch) {
  if (batch.changes.size() > max_batch_changes)
    return fmt::format("a batch of {} changes is above the limit of {}; split it",
                       batch.changes.size(), max_batch_changes);
  for (auto const& change : batch.changes)
    if (auto why = why_unwritable(change)) return why;
  return std::nullopt;
}

Status check_query(Query const& query) {
  LEPTON_CHECK(query.table != nullptr, "a query names its table");
  auto const& table = *query.table;
  if (query.limit == 0 || query.limit > max_find_rows)
    return refuse(
        fmt::format("the limit of a query must be 1..{}, not {}", max_find_rows, query.limit));
  if (!query.order_by.empty() && !column_index(table, query.order_by))
    return refuse(
        fmt::format("table '{}' has no column '{}' to order by", table.name, query.order_by));
  for (auto const& condition : query.where) {
    auto const i = column_index(table, condition.column);
    if (!i)
      return refuse(fmt::format("table '{}' has no column '{}'", table.name, condition.column));
    auto const& column = table.columns[*i];
    if (column.type == ColumnType::json)
      return refuse(fmt::format("column '{}' holds documents, which have no order", column.name));
    if (std::holds_alternative<Null>(condition.value)) {
      if (condition.compare == Compare::equal) continue;
      return refuse(fmt::format("column '{}' can only be equal to null", column.name));
    }
    if (auto why = why_bad_cell(condition.value, column))
      return refuse(fmt::format("the value sought in column '{}' {}", column.name, *why));
  }
  return ok();
}

std::optional<std::size_t> column_index(Table const& table, std::string_view name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].name == name) return i;
  return std::nullopt;
}

Cells key_of(Table const& table, Cells const& row) {
  Cells key;
  key.reserve(table.key.size());
  for (auto i : table.key) key.push_back(row[i]);
  return key;
}

}  // namespace lepton::store
