#pragma once
// YAML texts (specs and settings) to and from described types, through Tree. yaml-cpp is included
// in yaml.cpp only. A key twice, an anchor or alias, more than one document, or text beyond 1 MiB
// is refused with its line.

#include "common/codec/tree.hpp"

namespace lepton::codec {

Result<Tree> parse_yaml(std::string_view text);
std::string yaml_text(Tree const& tree);

template <HasTextForm T>
std::string to_yaml(T const& x) {
  return yaml_text(to_tree(x));
}

template <HasTextForm T>
Result<T> from_yaml(std::string_view text) {
  auto tree = parse_yaml(text);
  if (!tree) return tree.error();
  return from_tree<T>(*tree);
}

}  // namespace lepton::codec
