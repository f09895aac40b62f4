#pragma once
// Tree: what JSON and YAML texts become before they meet a described type, and the strict
// conversion both ways. Scalars of YAML stay text until the typed field converts them. Errors name
// the line, the field and the nearest valid name. 64-bit integers are JSON strings (a browser's
// numbers end at 2^53). Any thread.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/text.hpp"
#include "common/codec/kinds.hpp"

namespace lepton::codec {

struct TreeEntry;

struct Tree {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, map };
  Kind kind = Kind::null;
  std::string scalar;  // of boolean ("true"), number and text
  bool plain = false;  // YAML: an unquoted scalar, which may stand for any scalar type
  std::vector<Tree> items;
  std::vector<TreeEntry> entries;
  int line = 0;  // 1-based; 0 means unknown

  Tree const* find(std::string_view name) const;
  static Tree of_text(std::string s);
  static Tree of_number(std::string s);
};

struct TreeEntry {
  std::string key;
  Tree value;
};

// Base64 for Bytes, and text parsing used by from_tree.
std::string base64(std::string_view bytes);
std::optional<std::string> unbase64(std::string_view text);
std::optional<double> parse_real(std::string_view text);  // finite numbers only

namespace detail {

Error tree_error(Tree const& at, std::string const& path, std::string const& what);
std::string child_path(std::string const& path, std::string_view name);

template <class T>
Tree make_tree(T const& x);

template <schema::Described T>
Tree described_tree(T const& x) {
  Tree t;
  t.kind = Tree::Kind::map;
  schema::each<T>(
      [&](auto const& f) { t.entries.emplace_back(std::string(f.name), make_tree(x.*f.member)); });
  return t;
}

template <class T>
Tree make_tree(T const& x) {
  static_assert(!is_a<T, Secret>, "a Secret has no text form");
  Tree t;
  if constexpr (std::is_same_v<T, bool>) {
    t.kind = Tree::Kind::boolean;
    t.scalar = x ? "true" : "false";
  } else if constexpr (Integer<T>) {
    t = sizeof(T) > 4 ? Tree::of_text(std::to_string(x)) : Tree::of_number(std::to_string(x));
  } else if constexpr (std::is_floating_point_v<T>) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.17g", x);
    t = Tree::of_number(digits);
  } else if constexpr (std::is_same_v<T, std::string>) {
    t = Tree::of_text(x);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    t = Tree::of_text(base64(x.data));
  } else if constexpr (is_a<T, Id>) {
    t = Tree::of_text(x.value);
  } else if constexpr (schema::NamedEnum<T>) {
    t = Tree::of_text(std::string(schema::name_of(x)));
  } else if constexpr (is_a<T, std::optional>) {
    if (x) t = make_tree(*x);
  } else if constexpr (is_a<T, std::vector>) {
    t.kind = Tree::Kind::list;
    for (auto const& item : x) t.items.push_back(make_tree(item));
  } else if constexpr (is_a<T, std::map>) {
    t.kind = Tree::Kind::map;
    for (auto const& [key, value] : x) t.entries.emplace_back(key, make_tree(value));
  } else {
    t = described_tree(x);
  }
  return t;
}

// Reads a Tree into a typed value; the first problem ends it.
class TreeReader {
 public:
  template <class T>
  bool read(Tree const& t, T& x, std::string const& path) {
    static_assert(!is_a<T, Secret>, "a Secret has no text form");
    if constexpr (is_a<T, std::optional>) {
      if (t.kind == Tree::Kind::null) return x.reset(), true;
      return read(t, x.emplace(), path);
    } else if constexpr (is_a<T, std::vector>) {
      if (t.kind != Tree::Kind::list) return fail(t, path, "expected a list");
      x.clear();
      for (std::size_t i = 0; i < t.items.size(); ++i)
        if (!read(t.items[i], x.emplace_back(), path + "[" + std::to_string(i) + "]")) return false;
      return true;
    } else if constexpr (is_a<T, std::map>) {
      if (t.kind != Tree::Kind::map) return fail(t, path, "expected a map");
      x.clear();
      for (auto const& [key, value] : t.entries)
        if (!read(value, x[key], child_path(path, key))) return false;
      return true;
    } else if constexpr (schema::Described<T>) {
      return read_described(t, x, path);
    } else {
      return read_scalar(t, x, path);
    }
  }
  Error error;

 private:
  bool fail(Tree const& t, std::string const& path, std::string const& what) {
    error = tree_error(t, path, what);
    return false;
  }

  bool is_scalar(Tree const& t, Tree::Kind kind) const { return t.kind == kind || t.plain; }

  template <class T>
  bool read_scalar(Tree const& t, T& x, std::string const& path) {
    if (t.kind == Tree::Kind::list || t.kind == Tree::Kind::map || t.kind == Tree::Kind::null)
      return fail(t, path, "expected one value");
    if constexpr (std::is_same_v<T, bool>) {
      if (!is_scalar(t, Tree::Kind::boolean) || (t.scalar != "true" && t.scalar != "false"))
        return fail(t, path, "expected true or false, got '" + t.scalar + "'");
      x = t.scalar == "true";
    } else if constexpr (Integer<T>) {
      return read_integer(t, x, path);
    } else if constexpr (std::is_floating_point_v<T>) {
      auto const parsed = parse_real(t.scalar);
      if (!parsed) return fail(t, path, "expected a number, got '" + t.scalar + "'");
      x = *parsed;
    } else {
      return read_text(t, x, path);
    }
    return true;
  }

  template <class T>
  bool read_integer(Tree const& t, T& x, std::string const& path) {
    T parsed{};
    auto const* end = t.scalar.data() + t.scalar.size();
    auto const [last, failed] = std::from_chars(t.scalar.data(), end, parsed);
    if (t.kind == Tree::Kind::boolean || failed != std::errc{} || last != end)
      return fail(t, path,
                  "expected a whole number from " + std::to_string(std::numeric_limits<T>::min()) +
                      " to " + std::to_string(std::numeric_limits<T>::max()) + ", got '" +
                      t.scalar + "'");
    x = parsed;
    return true;
  }

  template <class T>
  bool read_text(Tree const& t, T& x, std::string const& path) {
    if (!is_scalar(t, Tree::Kind::text) && t.kind != Tree::Kind::text)
      return fail(t, path, "expected text");
    if constexpr (std::is_same_v<T, std::string>) {
      x = t.scalar;
    } else if constexpr (is_a<T, Id>) {
      x.value = t.scalar;
    } else if constexpr (std::is_same_v<T, Bytes>) {
      auto bytes = unbase64(t.scalar);
      if (!bytes) return fail(t, path, "expected base64");
      x.data = std::move(*bytes);
    } else {
      static_assert(schema::NamedEnum<T>, "this type has no text form");
      constexpr auto all = enumerators(T{});
      x = enum_from_name<T>(t.scalar);
      if (x == T{} && t.scalar != all[0]) {  // what was stored as unknown is read as unknown
        std::vector<std::string> const names(all.begin() + 1, all.end());
        return fail(t, path,
                    "'" + t.scalar + "' is not one of " + text::join(names, ", ") +
                        text::did_you_mean(t.scalar, names));
      }
    }
    return true;
  }

  template <class T>
  bool read_described(Tree const& t, T& x, std::string const& path) {
    if (t.kind != Tree::Kind::map) return fail(t, path, "expected a map");
    std::vector<std::string> names;
    schema::each<T>([&](auto const& f) { names.emplace_back(f.name); });
    for (auto const& [key, value] : t.entries)
      if (std::find(names.begin(), names.end(), key) == names.end())
        return fail(value, child_path(path, key), "unknown field" + text::did_you_mean(key, names));
    bool good = true;
    schema::each<T>([&](auto const& f) {
      if (!good) return;
      auto const at = child_path(path, f.name);
      if (auto const* child = t.find(f.name))
        good = read(*child, x.*f.member, at) && in_bounds(*child, f, x.*f.member, at);
      else if (f.since_version == 0)
        good = fail(t, at, "this field is required");
    });
    return good;
  }

  template <class F, class T>
  bool in_bounds(Tree const& t, F const& f, T const& x, std::string const& path) {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      if (f.bounded && !(double(x) >= f.min && double(x) <= f.max))
        return fail(t, path, "must be from " + text::join({number(f.min), number(f.max)}, " to "));
    }
    return true;
  }
  static std::string number(double x) { return std::to_string(static_cast<long long>(x)); }
};

}  // namespace detail

// A Secret has no text form, wherever it stands.
template <class T>
concept HasTextForm = !holds_secret<T>();

template <HasTextForm T>
Tree to_tree(T const& x) {
  return detail::make_tree(x);
}

template <HasTextForm T>
Result<T> from_tree(Tree const& tree) {
  T x{};
  detail::TreeReader reader;
  if (!reader.read(tree, x, "")) return reader.error;
  return x;
}

}  // namespace lepton::codec
