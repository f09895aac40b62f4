#pragma once
// Tables for people, as aligned text. Control characters of cells are replaced, so that no job can
// paint on the terminal of the reader. Pure; any thread.

#include <string>
#include <vector>

namespace lepton::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  // Names and values of one thing, without a header.
  static Table sheet() { return Table({}); }

  Table& row(std::vector<std::string> cells);
  bool is_empty() const { return rows_.empty(); }

  // Cells that name a state get a colour.
  std::string text(bool colour) const;
  // What stands for the things themselves: the first column, or of a sheet the first value.
  std::string names() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// Letters that a terminal shows, for a text in UTF-8.
std::size_t columns(std::string_view text);
// Without control characters.
std::string printable(std::string_view text);

}  // namespace lepton::cli
