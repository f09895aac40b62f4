#pragma once
// JSON texts (RFC 8259) to and from described types: read through Tree, written at once, for every
// row of the database is. nlohmann is included in json.cpp only. Limits: 4 MiB, nesting 32. Invalid
// UTF-8 is refused when read and replaced when written.

#include "common/codec/tree.hpp"

namespace lepton::codec {

std::string json_text(Tree const& tree, int indent = -1);
Result<Tree> parse_json(std::string_view text);

namespace detail {

void append_text(std::string& out, std::string_view text);  // quoted and escaped
void append_real(std::string& out, double x);

// What json_text(to_tree(x)) says, without the tree.
template <class T>
void append_json(std::string& out, T const& x);

template <schema::Described T>
void append_described(std::string& out, T const& x) {
  char before = '{';
  schema::each<T>([&](auto const& f) {
    out += std::exchange(before, ',');
    append_text(out, f.name);
    out += ':';
    append_json(out, x.*f.member);
  });
  out += before == '{' ? "{}" : "}";
}

template <class T>
void append_items(std::string& out, T const& items, char open, char close) {
  out += open;
  bool first = true;
  for (auto const& item : items) {
    if (!std::exchange(first, false)) out += ',';
    if constexpr (is_a<T, std::map>) {
      append_text(out, item.first);
      out += ':';
      append_json(out, item.second);
    } else {
      append_json(out, item);
    }
  }
  out += close;
}

template <class T>
void append_json(std::string& out, T const& x) {
  static_assert(!is_a<T, Secret>, "a Secret has no text form");
  if constexpr (std::is_same_v<T, bool>) {
    out += x ? "true" : "false";
  } else if constexpr (Integer<T>) {
    constexpr auto quote = sizeof(T) > 4 ? "\"" : "";
    out.append(quote).append(std::to_string(x)).append(quote);
  } else if constexpr (std::is_floating_point_v<T>) {
    append_real(out, x);
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_text(out, x);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    append_text(out, base64(x.data));
  } else if constexpr (is_a<T, Id>) {
    append_text(out, x.value);
  } else if constexpr (schema::NamedEnum<T>) {
    append_text(out, schema::name_of(x));
  } else if constexpr (is_a<T, std::optional>) {
    if (x)
      append_json(out, *x);
    else
      out += "null";
  } else if constexpr (is_a<T, std::vector>) {
    append_items(out, x, '[', ']');
  } else if constexpr (is_a<T, std::map>) {
    append_items(out, x, '{', '}');
  } else {
    append_described(out, x);
  }
}

}  // namespace detail

template <HasTextForm T>
std::string to_json(T const& x) {
  std::string out;
  detail::append_json(out, x);
  return out;
}

// For people's eyes.
template <HasTextForm T>
std::string to_json(T const& x, int indent) {
  return json_text(to_tree(x), indent);
}

template <HasTextForm T>
Result<T> from_json(std::string_view text) {
  auto tree = parse_json(text);
  if (!tree) return tree.error();
  return from_tree<T>(*tree);
}

}  // namespace lepton::codec
