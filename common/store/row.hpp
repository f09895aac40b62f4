#pragma once
// Binds a described struct to table rows: `struct JobRow { static constexpr std::string_view table
// = "job"; ... }` with `.key()` on its key fields. bool, integers, double, text, Id, enum, Bytes
// and optionals of them are columns of their own; lists, maps and nested structs are JSON
// documents. A Secret does not compile: it has no column.

#include <optional>
#include <type_traits>

#include "common/codec/json.hpp"
#include "common/schema/schema.hpp"
#include "common/store/cell.hpp"

namespace lepton::store {

template <class T>
concept Row = schema::Described<T> && requires {
  T::table;
};

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
  using inner = T;
};
template <class T>
struct IsId : std::false_type {};
template <class T>
struct IsId<Id<T>> : std::true_type {};

template <class T>
constexpr ColumnType column_type() {
  if constexpr (IsOptional<T>::value)
    return column_type<typename IsOptional<T>::inner>();
  else if constexpr (std::is_same_v<T, bool>)
    return ColumnType::boolean;
  else if constexpr (std::is_integral_v<T>)
    return ColumnType::bigint;
  else if constexpr (std::is_floating_point_v<T>)
    return ColumnType::real;
  else if constexpr (std::is_same_v<T, Bytes>)
    return ColumnType::bytes;
  else if constexpr (std::is_same_v<T, std::string> || IsId<T>::value || schema::NamedEnum<T>)
    return ColumnType::text;
  else
    return ColumnType::json;
}

template <class T>
Cell to_cell(T const& x) {
  if constexpr (IsOptional<T>::value) {
    if (!x) return Null{};
    return to_cell(*x);
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Bytes>) {
    return x;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(x);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(x);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return x;
  } else if constexpr (IsId<T>::value) {
    return x.value;
  } else if constexpr (schema::NamedEnum<T>) {
    return std::string(schema::name_of(x));
  } else {
    return codec::to_json(x);
  }
}

template <class T>
bool from_cell(Cell const& cell, T& x) {
  if constexpr (IsOptional<T>::value) {
    if (std::holds_alternative<Null>(cell)) return x.reset(), true;
    return from_cell(cell, x.emplace());
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Bytes>) {
    auto const* p = std::get_if<T>(&cell);
    return p != nullptr && (x = *p, true);
  } else if constexpr (std::is_integral_v<T>) {
    auto const* p = std::get_if<std::int64_t>(&cell);
    return p != nullptr && (x = static_cast<T>(*p), true);
  } else if constexpr (std::is_floating_point_v<T>) {
    auto const* p = std::get_if<double>(&cell);
    return p != nullptr && (x = *p, true);
  } else {
    auto const* p = std::get_if<std::string>(&cell);
    if (p == nullptr) return false;
    if constexpr (std::is_same_v<T, std::string>) {
      x = *p;
    } else if constexpr (IsId<T>::value) {
      x.value = *p;
    } else if constexpr (schema::NamedEnum<T>) {
      x = codec::enum_from_name<T>(*p);
    } else {
      auto parsed = codec::from_json<T>(*p);
      if (!parsed) return false;
      x = std::move(*parsed);
    }
    return true;
  }
}

}  // namespace detail

template <Row T>
Table const& table_of() {
  static Table const table = [] {
    Table t{T::table, {}, {}};
    schema::each<T>([&](auto const& f) {
      using F = typename std::remove_cvref_t<decltype(f)>::type;
      if (f.is_key) t.key.push_back(t.columns.size());
      t.columns.push_back(
          {f.name, detail::column_type<F>(), f.is_key, detail::IsOptional<F>::value});
    });
    return t;
  }();
  return table;
}

template <Row T>
Cells to_cells(T const& row) {
  Cells cells;
  cells.reserve(schema::field_count<T>);
  schema::each<T>([&](auto const& f) { cells.push_back(detail::to_cell(row.*f.member)); });
  return cells;
}

template <Row T>
Cells key_cells(T const& row) {
  Cells cells;
  schema::each<T>([&](auto const& f) {
    if (f.is_key) cells.push_back(detail::to_cell(row.*f.member));
  });
  return cells;
}

// Nothing when the cells do not have the row's shape, which a reviewed migration rules out.
template <Row T>
std::optional<T> from_cells(Cells const& cells) {
  if (cells.size() != schema::field_count<T>) return std::nullopt;
  T row{};
  std::size_t i = 0;
  bool good = true;
  schema::each<T>(
      [&](auto const& f) { good = detail::from_cell(cells[i++], row.*f.member) && good; });
  if (!good) return std::nullopt;
  return row;
}

}  // namespace lepton::store
