#include "common/codec/tree.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace lepton::codec {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Tree const* Tree::find(std::string_view name) const {
  for (auto const& [key, value] : entries)
    if (key == name) return &value;
  return nullptr;
}

Tree Tree::of_text(std::string s) {
  Tree t;
  t.kind = Kind::text;
  t.scalar = std::move(s);
  return t;
}

Tree Tree::of_number(std::string s) {
  Tree t;
  t.kind = Kind::number;
  t.scalar = std::move(s);
  return t;
}

// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto const n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? alphabet[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    auto const last = i + 4 == text.size();
    std::size_t const pad = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      auto const digit = k < 4 - pad ? alphabet.find(text[i + k]) : 0;
      if (digit == alphabet.npos) return std::nullopt;
      word = word << 6 | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t k = 0; k < 3 - pad; ++k) out += static_cast<char>(word >> (16 - 8 * k) & 255);
    if (pad > 0 && (word & (pad == 1 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
  }
  return out;
}

std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

namespace detail {

Error tree_error(Tree const& at, std::string const& path, std::string const& what) {
  std::string where = at.line > 0 ? "line " + std::to_string(at.line) + ": " : "";
  where += path.empty() ? "" : path + ": ";
  return {Code::invalid, where + what};
}

std::string child_path(std::string const& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

}  // namespace detail
}  // namespace lepton::codec
