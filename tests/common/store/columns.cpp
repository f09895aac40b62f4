#include "tests/common/store/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/text.hpp"

namespace lepton::store {
namespace {

struct SqlColumn {
  std::string type;
  bool nullable;
};

bool same_type(ColumnType type, std::string const& sql) {
  switch (type) {
    case ColumnType::boolean:
      return sql == "boolean";
    case ColumnType::bigint:
      return sql == "bigint";
    case ColumnType::real:
      return sql == "double precision";
    case ColumnType::text:
      return sql == "text";
    case ColumnType::json:
      return sql == "jsonb" || sql == "json";
    case ColumnType::bytes:
      return sql == "bytea";
  }
  return false;
}

std::vector<std::string> names(postgres::Rows const& rows) {
  std::vector<std::string> out;
  for (auto const& row : rows) out.push_back(row[0].value_or(""));
  return out;
}

}  // namespace

std::vector<std::string> column_differences(postgres::Session& session, std::string const& schema,
                                            Table const& table) {
  auto const name = std::string(table.name);
  auto const rows =
      session.query({"SELECT column_name, data_type, is_nullable FROM information_schema.columns "
                     "WHERE table_schema = $1 AND table_name = $2",
                     {schema, name}});
  auto const key = session.query(
      {"SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n), "
       "pg_attribute a WHERE i.indrelid = format('%I.%I', $1::text, $2::text)::regclass AND "
       "i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n",
       {schema, name}});
  if (!rows || rows->empty()) return {fmt::format("schema {} has no table {}", schema, name)};
  if (!key) return {key.error().what};

  std::map<std::string, SqlColumn> found;
  for (auto const& row : *rows) found[row[0].value_or("")] = {row[1].value_or(""), row[2] == "YES"};
  std::vector<std::string> out;
  auto const tell = [&](std::string_view column, std::string what) {
    out.push_back(fmt::format("{}.{}.{}: {}", schema, name, column, what));
  };
  for (auto const& column : table.columns) {
    auto const at = found.find(std::string(column.name));
    if (at == found.end()) {
      tell(column.name, "described, but not in the migration");
      continue;
    }
    if (!same_type(column.type, at->second.type)) tell(column.name, "type is " + at->second.type);
    if (column.nullable != at->second.nullable)
      tell(column.name,
           at->second.nullable ? "is nullable only in SQL" : "is NOT NULL only in SQL");
    found.erase(at);
  }
  for (auto const& [column, unused] : found) tell(column, "in the migration, but not described");
  std::vector<std::string> described;
  for (auto i : table.key) described.emplace_back(table.columns[i].name);
  if (described != names(*key))
    tell("key", fmt::format("described ({}), in SQL ({})", text::join(described, ", "),
                            text::join(names(*key), ", ")));
  return out;
}

}  // namespace lepton::store
