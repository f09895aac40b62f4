#pragma once
// One value of a row as every store understands it, and the description of a table.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"

namespace lepton::store {

struct Null {
  auto operator<=>(Null const&) const = default;
};

// Text also carries enum names and JSON documents; the column's type says which it is.
using Cell = std::variant<Null, bool, std::int64_t, double, std::string, Bytes>;
using Cells = std::vector<Cell>;

enum class ColumnType : std::uint8_t { boolean, bigint, real, text, json, bytes };

struct Column {
  std::string_view name;
  ColumnType type;
  bool is_key = false;
  bool nullable = false;
};

// Made once per row type (row.hpp) and alive for the whole program: passed by pointer.
struct Table {
  std::string_view name;  // within the schema of its service
  std::vector<Column> columns;
  std::vector<std::size_t> key;  // indices of the key columns
};

}  // namespace lepton::store
