#pragma once
// MIG: one GPU cut into instances by its administrator, each a device of its own with memory and
// processors of its own. A profile names the size. Grammar (NVIDIA MIG user guide, "MIG device
// names"; instances that are cut further, such as 1c.3g.20gb, are not known here):
//
//   profile = count "g." count "gb" [ ( "+" / "-" ) ( "me" / "me.all" / "gfx" ) ]        1g.10gb
//   count   = digit without zero, followed by at most three digits
//
// Pure; any thread.

#include <algorithm>
#include <array>
#include <string_view>

namespace lepton {

namespace detail {

// Takes a count off the front; false where there is none.
constexpr bool take_count(std::string_view& s) {
  std::size_t size = 0;
  while (size < s.size() && s[size] >= '0' && s[size] <= '9') ++size;
  if (size < 1 || size > 4 || s[0] == '0') return false;
  s.remove_prefix(size);
  return true;
}

constexpr bool take_word(std::string_view& s, std::string_view word) {
  if (!s.starts_with(word)) return false;
  s.remove_prefix(word.size());
  return true;
}

}  // namespace detail

constexpr bool is_mig_profile(std::string_view s) {
  constexpr std::array<std::string_view, 3> extras{"me", "me.all", "gfx"};
  if (!detail::take_count(s) || !detail::take_word(s, "g.")) return false;
  if (!detail::take_count(s) || !detail::take_word(s, "gb")) return false;
  if (s.empty()) return true;
  return (s[0] == '+' || s[0] == '-') &&
         std::find(extras.begin(), extras.end(), s.substr(1)) != extras.end();
}

}  // namespace lepton
