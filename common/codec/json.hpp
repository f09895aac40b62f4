#pragma once
// JSON texts (RFC 8259) to and from described types, through Tree. nlohmann is included in json.cpp
// only. Limits: 4 MiB, nesting 32. Invalid UTF-8 is refused when read and replaced when written.

#include "common/codec/tree.hpp"

namespace lepton::codec {

std::string json_text(Tree const& tree, int indent = -1);
Result<Tree> parse_json(std::string_view text);

template <HasTextForm T>
std::string to_json(T const& x, int indent = -1) {
  return json_text(to_tree(x), indent);
}

template <HasTextForm T>
Result<T> from_json(std::string_view text) {
  auto tree = parse_json(text);
  if (!tree) return tree.error();
  return from_tree<T>(*tree);
}

}  // namespace lepton::codec
