#include "common/base/shell_words.hpp"

#include <algorithm>
#include <string_view>

#include "common/base/text.hpp"

namespace lepton {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
}

bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

std::string quoted(std::string const& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  if (std::all_of(word.begin(), word.end(), is_printable)) {
    std::string out = "'";
    for (char const c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
  }
  std::string out = "$'";
  for (char const c : word) {
    if (!is_printable(c))
      out += "\\x" + text::hex(std::string_view(&c, 1));
    else
      out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return out + "'";
}

}  // namespace

std::string shell_words(std::vector<std::string> const& words) {
  std::vector<std::string> out;
  for (auto const& word : words) out.push_back(quoted(word));
  return text::join(out, " ");
}

}  // namespace lepton
