#pragma once
// The SQL text and the text formats of values that the PostgreSQL store sends and reads. Pure.
// Identifiers come from Table descriptions and are always quoted; values travel as parameters or
// COPY data only, so the SQL text, which may reach a server log, holds no row content. Formats:
// https://www.postgresql.org/docs/15/sql-copy.html and arrays.html (text formats).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/store/store.hpp"

namespace lepton::store::sql {

using Values = std::vector<std::optional<std::string>>;  // text format; nothing is NULL

std::string quote_name(std::string_view name);

// Statements on one table of `schema`.
std::string copy_in(std::string_view schema, Table const& table);
// With a view of keys: the rows that it names.
std::string copy_out(std::string_view schema, Table const& table, std::string_view view = {});
std::string append(std::string_view schema, Table const& table);  // one array per column
std::string upsert(std::string_view schema, Table const& table);  // one array per column
std::string erase(std::string_view schema, Table const& table);   // one array per key column
std::string erase_to(std::string_view schema, Table const& table, std::size_t depth);

// `byte_order` adds COLLATE "C", for databases whose text order is not the order of bytes.
std::string find(std::string_view schema, Query const& query, bool byte_order);
Values find_values(Query const& query);

// One line of COPY data, with its newline, added to `out`.
void add_copy_line(std::string& out, Cells const& row);
// Nothing when the line does not have the table's shape.
std::optional<Cells> read_copy_line(std::string_view line, Table const& table);

// The text of one value, as parameters and results hold it.
std::optional<std::string> to_text(Cell const& cell);
std::optional<Cell> from_text(std::optional<std::string_view> text, ColumnType type);

// One array literal per column over all rows.
Values arrays(std::vector<Cells const*> const& rows, std::size_t columns);

}  // namespace lepton::store::sql
