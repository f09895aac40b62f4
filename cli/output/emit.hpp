#pragma once
// One answer, in the form that -o asks for: a table for people, or the answer itself as JSON or
// YAML. One thread.

#include "cli/output/table.hpp"
#include "cli/shell.hpp"
#include "common/codec/tree.hpp"

namespace lepton::cli {

std::string formed(Format format, bool colour, codec::Tree const& answer, Table const& table);

template <class T>
void emit(Shell const& shell, T const& answer, Table const& table) {
  auto const is_data = shell.format == Format::json || shell.format == Format::yaml;
  shell.print(
      formed(shell.format, shell.colour, is_data ? codec::to_tree(answer) : codec::Tree{}, table));
}

}  // namespace lepton::cli
