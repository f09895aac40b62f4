#pragma once
// The tables that the store tests write, described here and created by server.cpp.

#include <map>
#include <optional>
#include <string>

#include "common/store/row.hpp"

namespace lepton::store {

enum class Mood : std::uint8_t { unknown, calm, angry };
consteval auto enumerators(Mood) {
  return std::to_array<std::string_view>({"unknown", "calm", "angry"});
}

struct ThingRow {
  static constexpr std::string_view table = "thing";
  std::string id;
  bool flag = false;
  std::int64_t count = 0;
  double ratio = 0;
  std::optional<std::string> label;
  std::map<std::string, std::string> doc;
  Bytes raw;
  Mood mood = Mood::calm;
  std::optional<std::int64_t> seen_at_ms;

  bool operator==(ThingRow const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = ThingRow;
    return schema::fields(
        field(1, "id", &T::id, "Name.").key(), field(2, "flag", &T::flag, "A flag."),
        field(3, "count", &T::count, "A number."), field(4, "ratio", &T::ratio, "A real number."),
        field(5, "label", &T::label, "Text or nothing."), field(6, "doc", &T::doc, "A document."),
        field(7, "raw", &T::raw, "Octets."), field(8, "mood", &T::mood, "An enum."),
        field(9, "seen_at_ms", &T::seen_at_ms, "A time or nothing, ms."));
  }
};
static_assert(schema::complete<ThingRow>());

// "select", an upper-case letter and a quote: names that only work quoted.
inline Table const log_table{"select Lo\"g",
                             {{"stream", ColumnType::text, true, false},
                              {"Seq", ColumnType::bigint, true, false},
                              {"order", ColumnType::text, false, false}},
                             {0, 1}};
inline Table const key_only_table{"key_only", {{"id", ColumnType::bigint, true, false}}, {0}};
inline Table const strict_table{
    "strict",
    {{"id", ColumnType::bigint, true, false}, {"positive", ColumnType::bigint, false, false}},
    {0}};

inline Change append(Table const& t, Cells cells) {
  return {Op::append, &t, std::move(cells)};
}
inline Change upsert(Table const& t, Cells cells) {
  return {Op::upsert, &t, std::move(cells)};
}
inline Change erase(Table const& t, Cells key) {
  return {Op::erase, &t, std::move(key)};
}
inline Change erase_to(Table const& t, Cells bound) {
  return {Op::erase_to, &t, std::move(bound)};
}

inline Cells log_row(std::string stream, std::int64_t seq, std::string text) {
  return {std::move(stream), seq, std::move(text)};
}

}  // namespace lepton::store
