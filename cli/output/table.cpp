#include "cli/output/table.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

using Words = std::pair<std::string_view, std::string_view>;  // ANSI colour, words that get it

constexpr auto colours = std::to_array<Words>({
    {"\033[32m", " ready running succeeded up unsealed ok done "},
    {"\033[33m", " queued starting stopping suspect draining sealed claimed cancelled "},
    {"\033[31m", " failed refused lost unreachable down denied "},
});
constexpr std::string_view plain = "\033[0m";

std::string painted(std::string const& cell, std::string const& padded) {
  for (auto const& [colour, words] : colours)
    if (!cell.empty() && words.find(" " + cell + " ") != words.npos)
      return std::string(colour) + padded + std::string(plain);
  return padded;
}

bool is_number(std::string const& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,%") == cell.npos;
}

}  // namespace

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char ch) {
    return (static_cast<unsigned char>(ch) & 0xc0) != 0x80;
  }));
}

// Besides ASCII controls, the C1 controls of UTF-8 (U+0080 to U+009F) can steer a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const ch = static_cast<unsigned char>(text[i]);
    auto const after = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (ch == 0xc2 && after >= 0x80 && after < 0xa0) {
      out += '?';
      ++i;
    } else {
      out +=
          ch < 0x20 || ch == 0x7f ? (ch == '\n' || ch == '\t' ? ' ' : '?') : static_cast<char>(ch);
    }
  }
  return out;
}

Table& Table::row(std::vector<std::string> cells) {
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
  return *this;
}

std::string Table::text(bool colour) const {
  auto const count = std::max(header_.size(), rows_.empty() ? 0 : rows_.front().size());
  std::vector<std::size_t> widths(count);
  std::vector<bool> right(count, !header_.empty() && !rows_.empty());
  for (std::size_t i = 0; i < header_.size(); ++i) widths[i] = columns(header_[i]);
  for (auto const& cells : rows_)
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], columns(cells[i]));
      right[i] = right[i] && is_number(cells[i]);
    }
  auto const line = [&](std::vector<std::string> const& cells, bool paint) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      auto const pad = std::string(widths[i] - columns(cells[i]), ' ');
      auto const last = i + 1 == cells.size();
      auto padded = right[i] ? pad + cells[i] : cells[i] + (last ? "" : pad);
      out += (paint ? painted(cells[i], padded) : padded) + (last ? "" : "  ");
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out + "\n";
  };
  std::string out = header_.empty() ? "" : line(header_, false);
  for (auto const& cells : rows_) out += line(cells, colour);
  return out;
}

std::string Table::names() const {
  if (header_.empty()) return rows_.empty() || rows_[0].size() < 2 ? "" : rows_[0][1] + "\n";
  std::string out;
  for (auto const& cells : rows_) out += cells.empty() ? "" : cells.front() + "\n";
  return out;
}

}  // namespace lepton::cli
