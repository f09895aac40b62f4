#include "common/store/sql.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/base/check.hpp"
#include "common/base/text.hpp"
#include "common/store/check.hpp"

namespace lepton::store::sql {
namespace {

std::string_view type_name(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return "boolean";
    case ColumnType::bigint:
      return "bigint";
    case ColumnType::real:
      return "double precision";
    case ColumnType::text:
      return "text";
    case ColumnType::json:
      return "jsonb";
    case ColumnType::bytes:
      return "bytea";
  }
  return "text";
}

std::string full_name(std::string_view schema, Table const& table) {
  return quote_name(schema) + "." + quote_name(table.name);
}

std::string columns(Table const& table) {
  std::vector<std::string> names;
  for (auto const& column : table.columns) names.push_back(quote_name(column.name));
  return text::join(names, ", ");
}

std::string key_columns(Table const& table) {
  std::vector<std::string> names;
  for (auto i : table.key) names.push_back(quote_name(table.columns[i].name));
  return text::join(names, ", ");
}

std::string unnest(Table const& table, std::vector<std::size_t> const& which) {
  std::vector<std::string> arrays;
  for (std::size_t n = 0; n < which.size(); ++n)
    arrays.push_back(fmt::format("${}::{}[]", n + 1, type_name(table.columns[which[n]].type)));
  return "unnest(" + text::join(arrays, ", ") + ")";
}

// DELETE by a list of keys; the last of them is compared with `last`.
std::string erase_by(std::string_view schema, Table const& table, std::size_t depth,
                     std::string_view last) {
  std::vector<std::size_t> const which(table.key.begin(),
                                       table.key.begin() + static_cast<std::ptrdiff_t>(depth));
  std::vector<std::string> names, conditions;
  for (std::size_t n = 0; n < depth; ++n) {
    names.push_back(fmt::format("k{}", n));
    conditions.push_back(fmt::format("r.{} {} k.k{}", quote_name(table.columns[which[n]].name),
                                     n + 1 == depth ? last : "=", n));
  }
  return fmt::format("DELETE FROM {} r USING {} AS k({}) WHERE {}", full_name(schema, table),
                     unnest(table, which), text::join(names, ", "),
                     text::join(conditions, " AND "));
}

std::string_view sign(Compare compare) {
  switch (compare) {
    case Compare::equal:
      return "=";
    case Compare::less:
      return "<";
    case Compare::less_equal:
      return "<=";
    case Compare::greater:
      return ">";
    case Compare::greater_equal:
      return ">=";
  }
  return "=";
}

// In the order of the memory twin: null below every value.
std::string order_item(Column const& column, bool descending, bool byte_order) {
  auto item = quote_name(column.name);
  if (byte_order && column.type == ColumnType::text) item += " COLLATE \"C\"";
  if (descending) item += " DESC";
  if (column.nullable) item += descending ? " NULLS LAST" : " NULLS FIRST";
  return item;
}

void add_escaped(std::string& out, std::string_view s) {
  auto const is_plain = [](char c) { return c != '\\' && c != '\t' && c != '\n' && c != '\r'; };
  while (!s.empty()) {
    auto const end = std::find_if_not(s.begin(), s.end(), is_plain);
    auto const plain = static_cast<std::size_t>(end - s.begin());
    out.append(s.substr(0, plain));
    if (end == s.end()) return;
    out += '\\';
    out += *end == '\t' ? 't' : *end == '\n' ? 'n' : *end == '\r' ? 'r' : '\\';
    s.remove_prefix(plain + 1);
  }
}

std::string unescaped(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      out += s[i];
      continue;
    }
    switch (s[++i]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'v':
        out += '\v';
        break;
      default:
        out += s[i];
    }
  }
  return out;
}

void add_hex(std::string& out, std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  auto at = out.size();
  out.resize(at + 2 * bytes.size());
  for (unsigned char c : bytes) {
    out[at++] = digits[c >> 4];
    out[at++] = digits[c & 15];
  }
}

template <class T>
void add_number(std::string& out, T value) {
  char buffer[32];
  auto const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

// Adds a value that is no text; false when it is text or null.
bool add_plain(std::string& out, Cell const& cell) {
  if (auto const* i = std::get_if<std::int64_t>(&cell)) return add_number(out, *i), true;
  if (auto const* b = std::get_if<bool>(&cell)) return out += *b ? 't' : 'f', true;
  if (auto const* d = std::get_if<double>(&cell)) return add_number(out, *d), true;
  return false;
}

void add_array_item(std::string& out, Cell const& cell) {
  if (add_plain(out, cell)) return;
  if (auto const* s = std::get_if<std::string>(&cell)) {
    out += '"';
    for (char c : *s) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  } else if (auto const* bytes = std::get_if<Bytes>(&cell)) {
    out += "\"\\\\x";
    add_hex(out, bytes->data);
    out += '"';
  } else {
    out += "NULL";
  }
}

}  // namespace

std::string quote_name(std::string_view name) {
  LEPTON_CHECK(!name.empty() && name.find('\0') == name.npos, "a name of SQL is text");
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string copy_in(std::string_view schema, Table const& table) {
  return fmt::format("COPY {} ({}) FROM STDIN", full_name(schema, table), columns(table));
}

std::string copy_out(std::string_view schema, Table const& table, std::string_view view) {
  std::vector<std::string> order;
  for (auto i : table.key) order.push_back(order_item(table.columns[i], false, true));
  std::string only;
  if (!view.empty())
    only = fmt::format(" WHERE ({0}) IN (SELECT {0} FROM {1}.{2})", key_columns(table),
                       quote_name(schema), quote_name(view));
  return fmt::format("COPY (SELECT {} FROM {}{} ORDER BY {}) TO STDOUT", columns(table),
                     full_name(schema, table), only, text::join(order, ", "));
}

std::string append(std::string_view schema, Table const& table) {
  std::vector<std::size_t> all(table.columns.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return fmt::format("INSERT INTO {} ({}) SELECT * FROM {}", full_name(schema, table),
                     columns(table), unnest(table, all));
}

std::string upsert(std::string_view schema, Table const& table) {
  std::vector<std::string> sets;
  for (auto const& column : table.columns)
    if (!column.is_key) sets.push_back(fmt::format("{0} = EXCLUDED.{0}", quote_name(column.name)));
  return fmt::format("{} ON CONFLICT ({}) DO {}", append(schema, table), key_columns(table),
                     sets.empty() ? "NOTHING" : "UPDATE SET " + text::join(sets, ", "));
}

std::string erase(std::string_view schema, Table const& table) {
  return erase_by(schema, table, table.key.size(), "=");
}

std::string erase_to(std::string_view schema, Table const& table, std::size_t depth) {
  return erase_by(schema, table, depth, "<=");
}

std::string find(std::string_view schema, Query const& query, bool byte_order) {
  auto const& table = *query.table;
  auto out = fmt::format("SELECT {} FROM {}", columns(table), full_name(schema, table));
  std::size_t n = 0;
  std::string_view glue = " WHERE ";
  for (auto const& condition : query.where) {
    auto const& column = table.columns[*column_index(table, condition.column)];
    out += glue;
    out += quote_name(column.name);
    glue = " AND ";
    if (std::holds_alternative<Null>(condition.value)) {
      out += " IS NULL";
      continue;
    }
    bool const ordered = condition.compare != Compare::equal && column.type == ColumnType::text;
    if (byte_order && ordered) out += " COLLATE \"C\"";
    out += fmt::format(" {} ${}::{}", sign(condition.compare), ++n, type_name(column.type));
  }
  std::vector<std::string> order;
  if (!query.order_by.empty())
    order.push_back(order_item(table.columns[*column_index(table, query.order_by)],
                               query.descending, byte_order));
  for (auto i : table.key)
    order.push_back(order_item(table.columns[i], query.descending, byte_order));
  return out + fmt::format(" ORDER BY {} LIMIT {}", text::join(order, ", "), query.limit);
}

Values find_values(Query const& query) {
  Values values;
  for (auto const& condition : query.where)
    if (!std::holds_alternative<Null>(condition.value)) values.push_back(to_text(condition.value));
  return values;
}

void add_copy_line(std::string& out, Cells const& row) {
  bool first = true;
  for (auto const& cell : row) {
    if (!first) out += '\t';
    first = false;
    if (add_plain(out, cell)) continue;
    if (auto const* s = std::get_if<std::string>(&cell)) {
      add_escaped(out, *s);
    } else if (auto const* bytes = std::get_if<Bytes>(&cell)) {
      out += "\\\\x";
      add_hex(out, bytes->data);
    } else {
      out += "\\N";
    }
  }
  out += '\n';
}

std::optional<Cells> read_copy_line(std::string_view line, Table const& table) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  Cells cells;
  cells.reserve(table.columns.size());
  std::size_t begin = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    bool const last = i + 1 == table.columns.size();
    auto const end = last ? line.size() : line.find('\t', begin);
    if (end == line.npos || begin > line.size()) return std::nullopt;
    auto const raw = line.substr(begin, end - begin);
    begin = end + 1;
    auto const value = unescaped(raw);
    auto cell = from_text(raw == "\\N" ? std::nullopt : std::optional<std::string_view>(value),
                          table.columns[i].type);
    if (!cell) return std::nullopt;
    cells.push_back(std::move(*cell));
  }
  return cells;
}

std::optional<std::string> to_text(Cell const& cell) {
  std::string out;
  if (add_plain(out, cell)) return out;
  if (auto const* s = std::get_if<std::string>(&cell)) return *s;
  if (auto const* bytes = std::get_if<Bytes>(&cell)) {
    out = "\\x";
    add_hex(out, bytes->data);
    return out;
  }
  return std::nullopt;
}

std::optional<Cell> from_text(std::optional<std::string_view> text, ColumnType type) {
  if (!text) return Cell{Null{}};
  switch (type) {
    case ColumnType::boolean:
      if (*text != "t" && *text != "f") return std::nullopt;
      return Cell{*text == "t"};
    case ColumnType::bigint: {
      auto const i = text::parse_int(*text);
      return i ? std::optional<Cell>(*i) : std::nullopt;
    }
    case ColumnType::real: {
      double d = 0;
      auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), d);
      if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
      return Cell{d};
    }
    case ColumnType::text:
    case ColumnType::json:
      return Cell{std::string(*text)};
    case ColumnType::bytes: {
      if (text->substr(0, 2) != "\\x") return std::nullopt;
      auto data = text::unhex(text->substr(2));
      return data ? std::optional<Cell>(Bytes{std::move(*data)}) : std::nullopt;
    }
  }
  return std::nullopt;
}

Values arrays(std::vector<Cells const*> const& rows, std::size_t columns) {
  Values out;
  for (std::size_t c = 0; c < columns; ++c) {
    std::string literal = "{";
    for (auto const* row : rows) {
      if (literal.size() > 1) literal += ',';
      add_array_item(literal, (*row)[c]);
    }
    out.push_back(literal + "}");
  }
  return out;
}

}  // namespace lepton::store::sql
