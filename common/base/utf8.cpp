#include "common/base/utf8.hpp"

namespace lepton::text {
namespace {

// Length of the UTF-8 sequence at s[i], 0 when it is none (RFC 3629: no overlong forms, no
// surrogates).
std::size_t utf8_length(std::string_view s, std::size_t i) {
  auto const at = [&](std::size_t k) {
    return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u;
  };
  auto const tail = [&](std::size_t k) { return (at(k) & 0xC0u) == 0x80u; };
  auto const a = at(i), b = at(i + 1);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(i + 1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    bool const good =
        tail(i + 1) && tail(i + 2) && !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F);
    return good ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    bool const good = tail(i + 1) && tail(i + 2) && tail(i + 3) && !(a == 0xF0 && b < 0x90) &&
                      !(a == 0xF4 && b > 0x8F);
    return good ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    auto const n = utf8_length(s, i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

}  // namespace lepton::text
